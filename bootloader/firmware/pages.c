#include "bootloader/firmware/pages.h"

#include "shared/address.h"
#include "shared/memory.h"
#include "shared/region.h"

void pages_set_limit(struct pages *pages, struct phys_addr limit)
{
    pages->limit = limit;
}

/* The lower one; 0 means none. */
static struct phys_addr pages_lower_limit(const struct pages *pages, struct phys_addr limit)
{
    bool is_lower = pages->limit.value != 0 && pages->limit.value < limit.value;
    return limit.value == 0 || is_lower ? pages->limit : limit;
}

/* Call AllocatePages, and call it again if it returns address 0. The first block is freed after the
 * second call, so the firmware cannot return the same page again. */
static EFI_STATUS pages_allocate_above_zero(EFI_BOOT_SERVICES *services, uint64_t page_count,
                                            struct phys_addr limit, struct phys_addr *ret_base)
{
    EFI_ALLOCATE_TYPE how = limit.value == 0 ? AllocateAnyPages : AllocateMaxAddress;
    EFI_PHYSICAL_ADDRESS base = limit.value - 1; /* input: the highest address of a last byte */
    EFI_STATUS status = services->AllocatePages(how, EfiLoaderData, page_count, &base);
    if (!EFI_ERROR(status) && base == 0) {
        base = limit.value - 1;
        status = services->AllocatePages(how, EfiLoaderData, page_count, &base);
        services->FreePages(0, page_count);
    }
    if (!EFI_ERROR(status))
        *ret_base = phys_addr(base);
    return status;
}

static bool pages_is_ours_already(const struct pages *pages, struct phys_range block)
{
    const EFI_LOADED_IMAGE *image = firmware.loaded_image;
    struct phys_range image_range;
    if (!phys_range_from_base_size(phys_addr((uint64_t)image->ImageBase), image->ImageSize,
                                   &image_range) ||
        phys_range_overlaps(block, image_range))
        return true;
    for (size_t i = 0; i < pages->block_count; i++) {
        if (phys_range_overlaps(block, pages->blocks[i].range))
            return true;
    }
    return false;
}

/* Add the firmware's block to the list. A block that cannot be trusted is not freed: it may belong
 * to another owner. */
static enum loader_error pages_note(struct pages *pages, struct phys_addr base, uint64_t size_bytes,
                                    enum handoff_region_type type, struct phys_range *ret_block)
{
    struct phys_range block;
    if (base.value == 0 || !page_is_aligned(base.value) ||
        !phys_range_from_base_size(base, size_bytes, &block) || pages_is_ours_already(pages, block))
        return error_set(LOADER_ERROR_BAD_ALLOCATION, EFI_SUCCESS, "%llu KiB at %llx for the %s",
                         size_bytes / KIB, base.value, region_type_name((uint32_t)type));

    pages->blocks[pages->block_count++] = (struct memory_map_claim){block, type};
    *ret_block = block;
    return LOADER_OK;
}

enum loader_error pages_allocate_below(struct pages *pages, uint64_t size_bytes,
                                       struct phys_addr limit, enum handoff_region_type type,
                                       struct phys_range *ret_block)
{
    struct phys_addr base;
    EFI_STATUS status = EFI_SUCCESS;
    uint64_t amount = size_bytes;
    const char *unit = "bytes";

    if (size_bytes != 0 && size_bytes <= UINT64_MAX - PAGE_MASK &&
        pages->block_count != CLAIMS_BLOCK_LIMIT) {
        size_bytes = page_align_up(size_bytes);
        amount = size_bytes / KIB;
        unit = "KiB";
        status = pages_allocate_above_zero(firmware.services, size_bytes >> PAGE_SHIFT,
                                           pages_lower_limit(pages, limit), &base);
        if (!EFI_ERROR(status))
            return pages_note(pages, base, size_bytes, type, ret_block);
    }
    return error_set(LOADER_ERROR_OUT_OF_MEMORY, status, "%llu %s for the %s", amount, unit,
                     region_type_name((uint32_t)type));
}

enum loader_error pages_allocate_at(struct pages *pages, struct phys_addr base, uint64_t size_bytes,
                                    enum handoff_region_type type, struct phys_range *ret_block)
{
    EFI_PHYSICAL_ADDRESS place = base.value;
    EFI_STATUS status = firmware.services->AllocatePages(AllocateAddress, EfiLoaderData,
                                                         size_bytes >> PAGE_SHIFT, &place);
    if (!EFI_ERROR(status) && place == 0) { /* another address than the requested one */
        firmware.services->FreePages(0, size_bytes >> PAGE_SHIFT);
        status = EFI_NOT_FOUND;
    }
    if (EFI_ERROR(status))
        return error_set(LOADER_ERROR_OUT_OF_MEMORY, status, "%llu KiB at %llx", size_bytes / KIB,
                         base.value);
    return pages_note(pages, phys_addr(place), size_bytes, type, ret_block);
}

enum loader_error pages_allocate(struct pages *pages, uint64_t size_bytes,
                                 enum handoff_region_type type, struct phys_range *ret_block)
{
    return pages_allocate_below(pages, size_bytes, PAGES_NO_LIMIT, type, ret_block);
}

/* Free the pages of the newest block that lie outside of `kept`, which is a part of it. The firmware
 * may refuse that: then they stay in use until the exit, and nothing else changes. */
static void pages_trim_newest(struct pages *pages, struct phys_range kept)
{
    EFI_BOOT_SERVICES *services = firmware.services;
    struct phys_range *block = &pages->blocks[pages->block_count - 1].range;
    uint64_t before_bytes = kept.start.value - block->start.value;
    uint64_t behind_bytes = block->end.value - kept.end.value;
    if (before_bytes > 0)
        services->FreePages(block->start.value, before_bytes >> PAGE_SHIFT);
    if (behind_bytes > 0)
        services->FreePages(kept.end.value, behind_bytes >> PAGE_SHIFT);
    *block = kept;
}

enum loader_error pages_allocate_for_reading(struct pages *pages, uint64_t size_bytes,
                                             uint64_t alignment_bytes, uint64_t residue_bytes,
                                             enum handoff_region_type type,
                                             struct phys_range *ret_block)
{
    struct phys_range block;
    /* A file's limit and an alignment's limit together are far below 2^64. */
    uint64_t wanted_bytes = page_align_up(size_bytes) + alignment_bytes - PAGE_SIZE_BYTES;
    enum loader_error error =
        pages_allocate_below(pages, wanted_bytes, phys_addr(4 * GIB), type, &block);
    if (error == LOADER_ERROR_OUT_OF_MEMORY)
        error = pages_allocate(pages, wanted_bytes, type, &block);
    if (error != LOADER_OK)
        return error;
    uint64_t skip_bytes = (residue_bytes - block.start.value) & (alignment_bytes - 1);
    struct phys_addr start = phys_addr_add(block.start, skip_bytes);
    *ret_block = (struct phys_range){start, phys_addr_add(start, page_align_up(size_bytes))};
    pages_trim_newest(pages, *ret_block);
    return LOADER_OK;
}

static void pages_free_block(struct pages *pages, size_t index)
{
    struct phys_range block = pages->blocks[index].range;
    firmware.services->FreePages(block.start.value, phys_range_size_bytes(block) >> PAGE_SHIFT);
    pages->block_count--;
    memmove(&pages->blocks[index], &pages->blocks[index + 1],
            (pages->block_count - index) * sizeof(pages->blocks[0]));
}

void pages_free(struct pages *pages, struct phys_addr start)
{
    for (size_t i = 0; i < pages->block_count; i++) {
        if (pages->blocks[i].range.start.value == start.value) {
            pages_free_block(pages, i);
            return;
        }
    }
}

void pages_free_newest(struct pages *pages, size_t kept_count)
{
    while (pages->block_count > kept_count)
        pages_free_block(pages, pages->block_count - 1);
}

void pages_free_all(struct pages *pages)
{
    pages_free_newest(pages, 0);
}
