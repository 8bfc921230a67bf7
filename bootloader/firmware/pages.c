#include "bootloader/firmware/pages.h"

#include "shared/address.h"
#include "shared/region.h"

void pages_initialise(struct pages *pages, struct firmware *firmware)
{
    pages->firmware = firmware;
    pages->block_count = 0;
}

/* AllocatePages, and once more if it gives address 0: the second try holds while the first is
 * returned, so the firmware cannot give the same page again. */
static EFI_STATUS pages_allocate_above_zero(EFI_BOOT_SERVICES *services, uint64_t page_count,
                                            uint64_t limit_address, uint64_t *ret_base)
{
    EFI_ALLOCATE_TYPE how = limit_address == PAGES_NO_LIMIT ? AllocateAnyPages : AllocateMaxAddress;
    EFI_PHYSICAL_ADDRESS base = limit_address - 1; /* in: the highest last byte */
    EFI_STATUS status = services->AllocatePages(how, EfiLoaderData, page_count, &base);
    if (!EFI_ERROR(status) && base == 0) {
        base = limit_address - 1;
        status = services->AllocatePages(how, EfiLoaderData, page_count, &base);
        services->FreePages(0, page_count);
    }
    if (!EFI_ERROR(status))
        *ret_base = base;
    return status;
}

static bool pages_is_ours_already(const struct pages *pages, struct range range)
{
    const EFI_LOADED_IMAGE *image = pages->firmware->loaded_image;
    struct range image_range;
    if (!range_from_base_size((uint64_t)image->ImageBase, image->ImageSize, &image_range) ||
        range_overlaps(range, image_range))
        return true;
    for (size_t i = 0; i < pages->block_count; i++) {
        if (range_overlaps(range, pages->blocks[i].range))
            return true;
    }
    return false;
}

enum loader_error pages_allocate_below(struct pages *pages, uint64_t size_bytes,
                                       uint64_t limit_address, enum handoff_region_type type,
                                       uint64_t *ret_base, struct loader_failure *failure)
{
    const char *name = region_type_name((uint32_t)type);
    uint64_t base;
    struct range range;

    if (size_bytes == 0 || size_bytes > UINT64_MAX - PAGE_MASK ||
        pages->block_count == PAGES_BLOCK_LIMIT)
        return error_set(failure, LOADER_ERROR_OUT_OF_MEMORY, EFI_SUCCESS, "%llu bytes for the %s",
                         size_bytes, name);
    size_bytes = page_align_up(size_bytes);

    EFI_STATUS status = pages_allocate_above_zero(pages->firmware->services,
                                                  size_bytes >> PAGE_SHIFT, limit_address, &base);
    if (EFI_ERROR(status))
        return error_set(failure, LOADER_ERROR_OUT_OF_MEMORY, status, "%llu KiB for the %s",
                         size_bytes / KIB, name);
    /* A block that is not to be trusted is not given back either: it may be somebody's. */
    if (base == 0 || !page_is_aligned(base) || !range_from_base_size(base, size_bytes, &range) ||
        pages_is_ours_already(pages, range))
        return error_set(failure, LOADER_ERROR_BAD_ALLOCATION, EFI_SUCCESS,
                         "%llu KiB at %llx for the %s", size_bytes / KIB, base, name);

    pages->blocks[pages->block_count++] = (struct page_block){range, type};
    *ret_base = base;
    return LOADER_OK;
}

enum loader_error pages_allocate(struct pages *pages, uint64_t size_bytes,
                                 enum handoff_region_type type, uint64_t *ret_base,
                                 struct loader_failure *failure)
{
    return pages_allocate_below(pages, size_bytes, PAGES_NO_LIMIT, type, ret_base, failure);
}

static void pages_free_block(struct pages *pages, size_t index)
{
    struct range range = pages->blocks[index].range;
    pages->firmware->services->FreePages(range.start, range_size_bytes(range) >> PAGE_SHIFT);
    pages->block_count--;
    for (size_t i = index; i < pages->block_count; i++)
        pages->blocks[i] = pages->blocks[i + 1];
}

void pages_free(struct pages *pages, uint64_t base)
{
    for (size_t i = 0; i < pages->block_count; i++) {
        if (pages->blocks[i].range.start == base) {
            pages_free_block(pages, i);
            return;
        }
    }
}

void pages_free_all(struct pages *pages)
{
    while (pages->block_count > 0)
        pages_free_block(pages, pages->block_count - 1);
}
