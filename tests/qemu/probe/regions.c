#include "tests/qemu/probe/regions.h"

#include "tests/qemu/probe/block.h"

/* UEFI 2.10, 7.2.1. */
#define EFI_LOADER_CODE 1
#define EFI_LOADER_DATA 2

static void check_rows(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "regions-well-formed");
    promise_require(promises, handoff->regions.count > 0, "at least one region", 0);
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        promise_require(promises, region->base % PAGE == 0, "a page-aligned base", region->base);
        promise_require(promises, region->size_bytes % PAGE == 0 && region->size_bytes != 0,
                        "a size of whole pages", region->size_bytes);
        promise_require(promises, region->size_bytes <= UINT64_MAX - region->base,
                        "no region that wraps", region->base);
    }
    promise_end(promises);
}

#define MAPPED (HANDOFF_FACT_MAPPED)
#define PIXELS (MAPPED | HANDOFF_FACT_WRITABLE)
#define RAM    (PIXELS | HANDOFF_FACT_RAM)
#define PLACED (RAM | HANDOFF_FACT_LOADER_PLACED)

/* The table of types in docs/HANDOFF.md, as numbers. */
static const struct {
    uint32_t type;
    uint32_t facts;
    uint32_t reuse;
} meanings[] = {
    {0x100, RAM, 1},    {0x110, RAM, 1},    {0x120, RAM, 2},    {0x130, RAM, 4},
    {0x140, RAM, 0},    {0x200, PLACED, 5}, {0x210, PLACED, 2}, {0x220, PLACED, 2},
    {0x230, PLACED, 3}, {0x240, PLACED, 0}, {0x250, PLACED, 0}, {0x260, PLACED, 0},
    {0x270, PLACED, 6}, {0x280, PLACED, 7}, {0x290, PLACED, 3}, {0x300, RAM, 0},
    {0x310, RAM, 0},    {0x320, RAM, 0},    {0x400, 0, 0},      {0x410, 0, 0},
    {0x420, 0, 0},      {0x430, 0, 0},      {0x440, 0, 0},      {0x450, MAPPED, 0},
    {0x460, PIXELS, 0},
};

static void check_meaning(const struct handoff_region *region, struct promises *promises)
{
    for (unsigned i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].type != region->type)
            continue;
        promise_require_equal(promises, meanings[i].facts, region->facts);
        promise_require_equal(promises, meanings[i].reuse, region->reuse);
        return;
    }
    promise_require(promises, false, "a type that docs/HANDOFF.md lists", region->type);
}

/* Check the rules for every region, also for a type that a reader does not know. */
static void check_facts(const struct handoff_region *region, struct promises *promises)
{
    promise_require(promises,
                    (region->facts & HANDOFF_FACT_WRITABLE) == 0 || (region->facts & MAPPED) != 0,
                    "no region that is writable but not mapped", region->base);
    promise_require(promises, region->reuse == HANDOFF_REUSE_NEVER || (region->facts & RAM) == RAM,
                    "only mapped, writable RAM that can be reused", region->base);
    promise_require(promises,
                    region->base >= (UINT64_C(1) << 20) || region->reuse != HANDOFF_REUSE_AT_ENTRY,
                    "no ordinary RAM below 1 MiB", region->base);
}

static void check_meanings(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "regions-have-the-facts-of-their-types");
    for (uint32_t i = 0; i < handoff->regions.count; i++)
        check_meaning(block_region(handoff, i), promises);
    promise_end(promises);
    promise_begin(promises, "region-facts-are-consistent");
    for (uint32_t i = 0; i < handoff->regions.count; i++)
        check_facts(block_region(handoff, i), promises);
    promise_end(promises);
}

static bool same_meaning(const struct handoff_region *a, const struct handoff_region *b)
{
    return a->type == b->type && a->facts == b->facts && a->reuse == b->reuse &&
           a->efi_type == b->efi_type && a->attributes == b->attributes;
}

static void check_neighbours(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "regions-sorted-and-disjoint");
    for (uint32_t i = 1; i < handoff->regions.count; i++) {
        const struct handoff_region *before = block_region(handoff, i - 1);
        const struct handoff_region *region = block_region(handoff, i);
        promise_require(promises, region->base >= before->base + before->size_bytes,
                        "a base behind the region before it", region->base);
    }
    promise_end(promises);

    promise_begin(promises, "regions-maximal");
    for (uint32_t i = 1; i < handoff->regions.count; i++) {
        const struct handoff_region *before = block_region(handoff, i - 1);
        const struct handoff_region *region = block_region(handoff, i);
        bool touch = region->base == before->base + before->size_bytes;
        promise_require(promises, !touch || !same_meaning(before, region),
                        "a difference between adjacent regions", region->base);
    }
    promise_end(promises);
}

static uint64_t bytes_of_blocks(const struct block blocks[BLOCK_COUNT], uint32_t type)
{
    uint64_t sum_bytes = 0;
    for (unsigned i = 0; i < BLOCK_COUNT; i++)
        sum_bytes += blocks[i].type == type ? blocks[i].end - blocks[i].start : 0;
    return sum_bytes;
}

/* Each block has only regions of its type. No other memory has this type, except the loader's:
 * other leftovers of the loader share it. */
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
            promise_require_equal(promises, bytes_of_blocks(blocks, block->type),
                                  block_bytes_of_type(handoff, 0, UINT64_MAX, block->type));
    }
    promise_end(promises);
}

/* Memory that the loader took from the firmware has the firmware's loader types. */
static void check_firmware_types_of_blocks(const struct handoff *handoff, struct promises *promises)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    promise_begin(promises, "blocks-are-loader-memory");
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
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
    check_meanings(handoff, promises);
    check_neighbours(handoff, promises);
    check_blocks(handoff, promises);
    check_firmware_types_of_blocks(handoff, promises);
}
