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

bool kernel_demands_fit_loader(const struct kernel_demands *demands, char *text,
                               size_t capacity_bytes)
{
    if (!version_fits(demands))
        format_packed(text, capacity_bytes, "handoff version %u.%u; this loader has %u.%u",
                      demands->version_major, demands->version_minor, HANDOFF_VERSION_MAJOR,
                      HANDOFF_VERSION_MINOR);
    else if ((demands->levels & KNOWN_LEVELS) == 0)
        format_packed(text, capacity_bytes,
                      "page tables of neither four nor five levels (levels 0x%llx)",
                      (unsigned long long)demands->levels);
    else if (demands->stack_size_bytes > KERNEL_DEMANDS_STACK_LIMIT_BYTES)
        format_packed(text, capacity_bytes, "a stack of %llu bytes; the limit is %llu",
                      (unsigned long long)demands->stack_size_bytes,
                      (unsigned long long)KERNEL_DEMANDS_STACK_LIMIT_BYTES);
    else if (demands->direct_map_limit < KERNEL_DEMANDS_DIRECT_MAP_MINIMUM)
        format_packed(text, capacity_bytes, "a direct map below 0x%llx; the loader needs 4 GiB",
                      (unsigned long long)demands->direct_map_limit);
    else if ((demands->needs & ~KNOWN_NEEDS) != 0)
        format_packed(text, capacity_bytes,
                      "something that this loader does not know (needs 0x%llx)",
                      (unsigned long long)demands->needs);
    else
        return true;
    return false;
}

bool kernel_demands_fit_machine(const struct kernel_demands *demands,
                                const struct kernel_supplies *supplies, char *text,
                                size_t capacity_bytes)
{
    const char *missing = NULL;
    if ((demands->levels & supplies->levels) == 0)
        missing = (demands->levels & HANDOFF_LEVELS_FIVE) != 0
                      ? PACKED("five levels of page tables; the CPU has four")
                      : PACKED("four levels of page tables; the machine stays with five");
    else if ((demands->needs & HANDOFF_NEEDS_SCREEN) != 0 && !supplies->has_screen)
        missing = PACKED("a screen; the machine has no linear framebuffer");
    else if ((demands->needs & HANDOFF_NEEDS_NO_EXECUTE) != 0 && !supplies->has_no_execute)
        missing = PACKED("a CPU with no-execute pages");
    if (missing != NULL)
        format_text(text, capacity_bytes, "%s", missing);
    return missing == NULL;
}
