#include "kernel/core/guard.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/core/panic.h"
#include "shared/text/format.h"

static const struct address_space *guarded_space;

void guard_use(const struct address_space *space)
{
    guarded_space = space;
}

const struct address_space_guard *guard_find(struct virt_addr address)
{
    if (guarded_space == NULL)
        return NULL;
    return address_space_find_guard(guarded_space, address);
}

/* --- Guarded blocks --------------------------------------------------------------------------- */

/* The position of the address relative to the block. */
static void format_place(const struct guarded_incident *incident, char *text, size_t capacity_bytes)
{
    static const char *const sides[] = {[GUARDED_BEFORE] = "before",
                                        [GUARDED_BEHIND] = "behind",
                                        [GUARDED_USE_FREED] = "into",
                                        [GUARDED_INSIDE] = "into"};
    format_text(text, capacity_bytes, "%zu %s %s", incident->distance_bytes,
                incident->distance_bytes == 1 ? "byte" : "bytes", sides[incident->kind]);
}

bool guard_describe_block(struct virt_addr address, const char *access, char *text,
                          size_t capacity_bytes)
{
    struct guarded_incident incident;
    char place[32];
    if (!kmalloc_find_incident((const void *)address.value, &incident))
        return false;
    if (incident.kind == GUARDED_NOWHERE) {
        format_text(text, capacity_bytes, "%s 0x%llx: in the guarded heap, where no block ever was",
                    access, (unsigned long long)address.value);
        return true;
    }
    format_place(&incident, place, sizeof place);
    format_text(text, capacity_bytes, "%s 0x%llx: %s %s of %zu bytes", access,
                (unsigned long long)address.value, place,
                incident.is_freed ? "a freed block" : "the block", incident.size_bytes);
    panic_note("allocated by", incident.allocated_by);
    panic_note("freed by", incident.freed_by);
    return true;
}
