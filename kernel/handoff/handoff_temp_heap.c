#include "kernel/handoff/handoff_temp_heap.h"

#include "kernel/mm/early_heap.h"
#include "shared/range.h"

/* UEFI 2.10, section 7.2.3: EfiLoaderData. */
#define EFI_TYPE_LOADER_DATA 2

const char *handoff_temp_heap_text(enum handoff_temp_heap_status status)
{
    switch (status) {
    case HANDOFF_TEMP_HEAP_OK:
        return "ok";
    case HANDOFF_TEMP_HEAP_ABSENT:
        return "the loader could not reserve one";
    case HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO:
        return "only one of base and size is zero";
    case HANDOFF_TEMP_HEAP_FRAME_ZERO:
        return "includes frame 0";
    case HANDOFF_TEMP_HEAP_UNALIGNED:
        return "base is not page-aligned";
    case HANDOFF_TEMP_HEAP_WRAPS:
        return "base and size wrap";
    case HANDOFF_TEMP_HEAP_TOO_SMALL:
        return "below the minimum size";
    case HANDOFF_TEMP_HEAP_TOO_LARGE:
        return "above the maximum size";
    case HANDOFF_TEMP_HEAP_OVERLAPS:
        return "overlaps kernel, handoff, page tables, stack or framebuffer";
    case HANDOFF_TEMP_HEAP_NOT_LOADER_DATA:
        return "not completely LoaderData in the memory map";
    case HANDOFF_TEMP_HEAP_NOT_THE_FIRST:
        return "not the first element of temp_heaps";
    }
    return "unknown status";
}

static bool overlaps_others(const struct handoff_view *view, struct phys_range heap)
{
    const struct handoff *handoff = view->handoff;
    const struct handoff_framebuffer *framebuffer = &view->framebuffer;
    const struct phys_range others[] = {
        phys_range(handoff->kernel_physical_base,
                   handoff->kernel_physical_base + handoff->kernel_size_bytes),
        phys_range(handoff->data_base, handoff->data_base + handoff->data_size_bytes),
        phys_range(handoff->page_tables_base,
                   handoff->page_tables_base + handoff->page_tables_size_bytes),
        phys_range(handoff->stack_physical_base,
                   handoff->stack_physical_base + handoff->stack_size_bytes),
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (phys_range_overlaps(others[i], heap))
            return true;
    }
    /* If the framebuffer's numbers are wrong, the type of the region is checked. */
    return view->framebuffer_status == HANDOFF_FRAMEBUFFER_OK &&
           phys_range_overlaps(
               phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes), heap);
}

static bool is_loader_data(const struct region_list *regions, struct phys_range heap)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        if (phys_range_overlaps(region_list_range(regions, i), heap) &&
            region_list_at(regions, i)->efi_type != EFI_TYPE_LOADER_DATA)
            return false;
    }
    return region_list_covers(regions, heap, HANDOFF_REGION_TEMP_HEAP);
}

/* Check the fields by themselves. On OK write *ret_heap. */
static enum handoff_temp_heap_status check_fields(uint64_t base, uint64_t size_bytes,
                                                  struct phys_range *ret_heap)
{
    if (base == 0 && size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ABSENT;
    if (base == 0 || size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO;
    if (base < PAGE_SIZE_BYTES)
        return HANDOFF_TEMP_HEAP_FRAME_ZERO;
    if (!page_is_aligned(base))
        return HANDOFF_TEMP_HEAP_UNALIGNED;
    if (!phys_range_from_base_size(phys_addr(base), size_bytes, ret_heap))
        return HANDOFF_TEMP_HEAP_WRAPS;
    if (size_bytes < EARLY_HEAP_SIZE_MIN_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_SMALL;
    if (size_bytes > EARLY_HEAP_SIZE_MAX_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_LARGE;
    return HANDOFF_TEMP_HEAP_OK;
}

enum handoff_temp_heap_status handoff_temp_heap_check(const struct handoff_view *view)
{
    uint64_t base = view->handoff->temp_heap_base;
    uint64_t size_bytes = view->handoff->temp_heap_size;
    struct phys_range heap;
    enum handoff_temp_heap_status status = check_fields(base, size_bytes, &heap);
    if (status != HANDOFF_TEMP_HEAP_OK)
        return status;
    if (overlaps_others(view, heap))
        return HANDOFF_TEMP_HEAP_OVERLAPS;
    if (!is_loader_data(&view->regions, heap))
        return HANDOFF_TEMP_HEAP_NOT_LOADER_DATA;
    if (view->first_temp_heap.base != base || view->first_temp_heap.size_bytes != size_bytes)
        return HANDOFF_TEMP_HEAP_NOT_THE_FIRST;
    return HANDOFF_TEMP_HEAP_OK;
}
