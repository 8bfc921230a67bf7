#include "bootloader/pure/framebuffer_conflict.h"

#include "bootloader/pure/memory_type.h"
#include "shared/address.h"

/* Precondition: the two overlap. */
static struct phys_range common_part(struct phys_range a, struct phys_range b)
{
    return (struct phys_range){a.start.value > b.start.value ? a.start : b.start,
                               a.end.value < b.end.value ? a.end : b.end};
}

/* Claims of RAM are the loader's own blocks. */
static bool find_claim(const struct claims *claims, struct phys_range pixels,
                       struct memory_map_claim *ret_owned)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct memory_map_claim *claim = &claims->list[i];
        if (!memory_type_is_ram(claim->type) || !phys_range_overlaps(pixels, claim->range))
            continue;
        *ret_owned = (struct memory_map_claim){common_part(pixels, claim->range), claim->type};
        return true;
    }
    return false;
}

/* A region of pixels keeps the type of the firmware's row below it. */
static bool find_row(const struct memory_owners *owners, struct phys_range pixels,
                     struct memory_map_claim *ret_owned)
{
    for (size_t i = 0; i < owners->region_count; i++) {
        const struct handoff_region *region = &owners->regions[i];
        const struct phys_range range = phys_range(region->base, region->base + region->size_bytes);
        if (region->type != HANDOFF_REGION_FRAMEBUFFER || !memory_type_lives_on(region->efi_type) ||
            !phys_range_overlaps(pixels, range))
            continue;
        *ret_owned =
            (struct memory_map_claim){common_part(pixels, range),
                                      memory_type_of_row(region->efi_type, MEMORY_TYPE_WRITE_BACK)};
        return true;
    }
    return false;
}

bool framebuffer_conflict_find(const struct memory_owners *owners,
                               const struct handoff_framebuffer *framebuffer,
                               struct memory_map_claim *ret_owned)
{
    const struct phys_range pixels =
        phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes);
    return find_claim(owners->claims, pixels, ret_owned) || find_row(owners, pixels, ret_owned);
}
