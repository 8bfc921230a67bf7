/*
 * inject_handoff.c - the handoffs of bad loaders, and of newer ones, made from a good handoff.
 */
#include "bootloader/pure/inject.h"

#include "shared/address.h"
#include "shared/handoff_checksum.h"

/* The structure of a newer minor version has fields behind those that are known. Here they are the
 * bytes that follow in the block. */
#define NEWER_SIZE_BYTES (HANDOFF_SIZE_V2_BYTES + 32)
#define UNKNOWN_BIT      (UINT32_C(1) << 31)
#define UNKNOWN_TYPE     UINT32_C(0x1f0)

static struct handoff_region *region_at(const struct handoff *handoff, void *regions,
                                        uint32_t index)
{
    return (struct handoff_region *)((uint8_t *)regions +
                                     (uint64_t)index * handoff->regions.stride_bytes);
}

static void make_newer(struct handoff *handoff, void *regions)
{
    handoff->version_minor++;
    handoff->size_bytes = NEWER_SIZE_BYTES;
    handoff->reserved_0 = UINT32_MAX;
    handoff->reserved[0] = UINT64_MAX;
    handoff->arch.x86_64.flags |= UNKNOWN_BIT;
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
        struct handoff_region *region = region_at(handoff, regions, i);
        region->facts |= UNKNOWN_BIT;
        region->reserved = UINT64_MAX;
        if (region->type == HANDOFF_REGION_BOOT_SERVICES)
            region->type = UNKNOWN_TYPE;
    }
}

/* The first region reaches into the second one. */
static void overlap_regions(const struct handoff *handoff, void *regions)
{
    if (handoff->regions.count < 2)
        return;
    struct handoff_region *first = region_at(handoff, regions, 0);
    first->size_bytes = region_at(handoff, regions, 1)->base - first->base + PAGE_SIZE_BYTES;
}

static void damage_fields(const uint32_t numbers[INJECT_FAILURE_COUNT], struct handoff *handoff)
{
    if (numbers[INJECT_BAD_MAGIC] != 0)
        handoff->magic ^= 1;
    if (numbers[INJECT_BAD_VERSION] != 0)
        handoff->version_major++;
    if (numbers[INJECT_BAD_SIZE] != 0)
        handoff->size_bytes = HANDOFF_SIZE_V2_BYTES - 8;
    if (numbers[INJECT_BAD_MACHINE] != 0)
        handoff->machine = HANDOFF_MACHINE_AARCH64;
    if (numbers[INJECT_BAD_ROOT] != 0)
        handoff->arch.x86_64.page_table_root += PAGE_SIZE_BYTES;
    if (numbers[INJECT_BAD_ARRAY] != 0)
        handoff->regions.first = handoff->data_base + handoff->data_size_bytes;
}

void inject_damage_handoff(const struct inject *inject, struct handoff *handoff,
                           struct handoff_region *regions)
{
    if (inject->numbers[INJECT_NEWER_MINOR] != 0)
        make_newer(handoff, regions);
    if (inject->numbers[INJECT_BAD_REGIONS] != 0)
        overlap_regions(handoff, regions);
    damage_fields(inject->numbers, handoff);
    handoff->checksum = handoff_checksum(handoff, handoff->size_bytes);
    if (inject->numbers[INJECT_BAD_CHECKSUM] != 0)
        handoff->checksum ^= 1;
}
