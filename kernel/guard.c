#include "kernel/guard.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/symbols.h"
#include "shared/format.h"

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

#define CALLER_CAPACITY_BYTES 64

static void format_caller(const void *caller, char *text)
{
    struct symbol symbol;
    if (symbols_find((uint64_t)caller, &symbol))
        format_text(text, CALLER_CAPACITY_BYTES, "%s+0x%llx", symbol.name,
                    (unsigned long long)symbol.offset_bytes);
    else
        format_text(text, CALLER_CAPACITY_BYTES, "%p", caller);
}

/* Where the address is, as seen from the block. */
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
    char allocated_by[CALLER_CAPACITY_BYTES];
    char freed_by[CALLER_CAPACITY_BYTES];
    if (!kmalloc_find_incident((const void *)address.value, &incident))
        return false;
    if (incident.kind == GUARDED_NOWHERE) {
        format_text(text, capacity_bytes, "%s 0x%llx: among guarded blocks, where none ever was",
                    access, (unsigned long long)address.value);
        return true;
    }
    format_place(&incident, place, sizeof place);
    format_caller(incident.allocated_by, allocated_by);
    if (incident.freed_by == NULL) {
        format_text(text, capacity_bytes, "%s 0x%llx: %s the block of %zu bytes that %s allocated",
                    access, (unsigned long long)address.value, place, incident.size_bytes,
                    allocated_by);
        return true;
    }
    format_caller(incident.freed_by, freed_by);
    format_text(text, capacity_bytes,
                "%s 0x%llx: %s a block of %zu bytes after %s freed it; %s allocated it", access,
                (unsigned long long)address.value, place, incident.size_bytes, freed_by,
                allocated_by);
    return true;
}
