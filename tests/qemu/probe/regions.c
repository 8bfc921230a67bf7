#include "tests/qemu/probe/regions.h"

#include "tests/qemu/probe/block.h"

/* UEFI 2.10, 7.2.1. */
#define EFI_LOADER_CODE 1
#define EFI_LOADER_DATA 2

static void check_rows(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "regions-well-formed");
    promise_require(promises, handoff->region_count > 0, "at least one region", 0);
    for (uint32_t i = 0; i < handoff->region_count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        promise_require(promises, region->base % PAGE == 0, "a page-aligned base", region->base);
        promise_require(promises, region->size_bytes % PAGE == 0 && region->size_bytes != 0,
                        "a size of whole pages", region->size_bytes);
        promise_require(promises, region->size_bytes <= UINT64_MAX - region->base,
                        "no region that wraps", region->base);
        promise_require(promises, region->type >= 1 && region->type <= 18, "a known type",
                        region->type);
    }
    promise_end(promises);
}

static bool same_meaning(const struct handoff_region *a, const struct handoff_region *b)
{
    return a->type == b->type && a->efi_type == b->efi_type && a->attributes == b->attributes;
}

static void check_neighbours(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "regions-sorted-and-disjoint");
    for (uint32_t i = 1; i < handoff->region_count; i++) {
        const struct handoff_region *before = block_region(handoff, i - 1);
        const struct handoff_region *region = block_region(handoff, i);
        promise_require(promises, region->base >= before->base + before->size_bytes,
                        "a base behind the region before it", region->base);
    }
    promise_end(promises);

    promise_begin(promises, "regions-maximal");
    for (uint32_t i = 1; i < handoff->region_count; i++) {
        const struct handoff_region *before = block_region(handoff, i - 1);
        const struct handoff_region *region = block_region(handoff, i);
        bool touch = region->base == before->base + before->size_bytes;
        promise_require(promises, !touch || !same_meaning(before, region),
                        "neighbours that touch to differ", region->base);
    }
    promise_end(promises);
}

/* Each block consists of its type, and (but for the loader's, which its leftovers share) its type
 * is nowhere else. */
static void check_blocks(const struct handoff *handoff, struct promises *promises)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    promise_begin(promises, "blocks-have-their-types");
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        const struct block *block = &blocks[i];
        uint64_t size_bytes = block->end - block->start;
        promise_require_equal(promises, size_bytes,
                              block_bytes_of_type(handoff, block->start, block->end, block->type));
        if (block->type != HANDOFF_REGION_LOADER)
            promise_require_equal(promises, size_bytes,
                                  block_bytes_of_type(handoff, 0, UINT64_MAX, block->type));
    }
    promise_end(promises);
}

/* What the loader took from the firmware is of the loader's types there. */
static void check_firmware_types_of_blocks(const struct handoff *handoff, struct promises *promises)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    promise_begin(promises, "blocks-are-loader-memory");
    for (uint32_t i = 0; i < handoff->region_count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        for (unsigned j = 0; j < BLOCK_COUNT; j++) {
            if (!block_contains(&blocks[j], region->base) ||
                blocks[j].type == HANDOFF_REGION_FRAMEBUFFER)
                continue;
            bool is_image = blocks[j].type == HANDOFF_REGION_LOADER;
            promise_require(promises,
                            region->efi_type == EFI_LOADER_DATA ||
                                (is_image && region->efi_type == EFI_LOADER_CODE),
                            "EfiLoaderData (for the image EfiLoaderCode)", region->efi_type);
        }
    }
    promise_end(promises);
}

void regions_check(const struct handoff *handoff, struct promises *promises)
{
    check_rows(handoff, promises);
    check_neighbours(handoff, promises);
    check_blocks(handoff, promises);
    check_firmware_types_of_blocks(handoff, promises);
}
