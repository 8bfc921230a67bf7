#include "bootloader/pure/kernel_demands.h"

#include "shared/address.h"
#include "shared/handoff.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

#define KNOWN_LEVELS (HANDOFF_LEVELS_FOUR | HANDOFF_LEVELS_FIVE)
#define KNOWN_NEEDS  (HANDOFF_NEEDS_SCREEN | HANDOFF_NEEDS_NO_EXECUTE)

/* Not a bare "is there a note": a kernel without one wants any version. */
static bool version_fits(const struct kernel_demands *demands)
{
    if ((demands->stated & UINT32_C(1) << HANDOFF_NOTE_VERSION) == 0)
        return true;
    return demands->version_major == HANDOFF_VERSION_MAJOR &&
           demands->version_minor <= HANDOFF_VERSION_MINOR;
}

/* Each format takes the first of four numbers, or the first two, or all. */
bool kernel_demands_fit_loader(const struct kernel_demands *demands, char *text,
                               size_t capacity_bytes)
{
    uint64_t number = demands->levels;
    uint64_t limit = KERNEL_DEMANDS_STACK_LIMIT_BYTES;
    struct packed_text format;
    if (!version_fits(demands)) {
        number = demands->version_major;
        limit = demands->version_minor;
        format = PACKED_TEXT("handoff version %llu.%llu; this loader has %u.%u");
    } else if ((demands->levels & KNOWN_LEVELS) == 0) {
        format = PACKED_TEXT("page tables of neither four nor five levels (levels 0x%llx)");
    } else if (demands->stack_size_bytes > limit) {
        number = demands->stack_size_bytes;
        format = PACKED_TEXT("a stack of %llu bytes; the limit is %llu");
    } else if (demands->direct_map_limit < KERNEL_DEMANDS_DIRECT_MAP_MINIMUM) {
        number = demands->direct_map_limit;
        format = PACKED_TEXT("a direct map below 0x%llx; the loader needs 4 GiB");
    } else if ((demands->needs & ~KNOWN_NEEDS) != 0) {
        number = demands->needs;
        format = PACKED_TEXT("something that this loader does not know (needs 0x%llx)");
    } else {
        return true;
    }
    format_text(text, capacity_bytes, packed_text_read(format.text), number, limit,
                HANDOFF_VERSION_MAJOR, HANDOFF_VERSION_MINOR);
    return false;
}

bool kernel_demands_fit_machine(const struct kernel_demands *demands,
                                const struct kernel_supplies *supplies, char *text,
                                size_t capacity_bytes)
{
    struct packed_text missing = {NULL};
    if ((demands->levels & supplies->levels) == 0)
        missing = (demands->levels & HANDOFF_LEVELS_FIVE) != 0
                      ? PACKED_TEXT("five levels of page tables; the CPU has four")
                      : PACKED_TEXT("four levels of page tables; the machine stays with five");
    else if ((demands->needs & HANDOFF_NEEDS_SCREEN) != 0 && !supplies->has_screen)
        missing = PACKED_TEXT("a screen; the machine has no linear framebuffer");
    else if ((demands->needs & HANDOFF_NEEDS_NO_EXECUTE) != 0 && !supplies->has_no_execute)
        missing = PACKED_TEXT("a CPU with no-execute pages");
    if (missing.text != NULL)
        format_text(text, capacity_bytes, "%s", (const char *)packed_text_read(missing.text));
    return missing.text == NULL;
}
