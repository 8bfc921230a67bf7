#include "kernel/handoff_check.h"

#include "kernel/mm/early_heap.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"
#include "shared/page_table.h"
#include "shared/range.h"
#include "shared/region.h"

/* UEFI 2.10, section 7.2.3: EFI_MEMORY_DESCRIPTOR up to its last field, and EfiLoaderData. */
#define EFI_DESCRIPTOR_SIZE_MIN_BYTES 40
#define EFI_TYPE_LOADER_DATA          2

const char *handoff_check_text(enum handoff_check_status status)
{
    switch (status) {
    case HANDOFF_CHECK_OK:
        return "ok";
    case HANDOFF_CHECK_POINTER_NULL:
        return "the pointer to the handoff is NULL";
    case HANDOFF_CHECK_POINTER_MISALIGNED:
        return "the pointer to the handoff is misaligned";
    case HANDOFF_CHECK_POINTER_NON_CANONICAL:
        return "the pointer to the handoff is not canonical";
    case HANDOFF_CHECK_MAGIC:
        return "bad magic: not a handoff";
    case HANDOFF_CHECK_MAJOR_VERSION:
        return "another major version: loader and kernel do not belong together";
    case HANDOFF_CHECK_SIZE:
        return "impossible size of the structure";
    case HANDOFF_CHECK_CHECKSUM:
        return "bad checksum: the handoff was changed after the loader wrote it";
    case HANDOFF_CHECK_DIRECT_MAP:
        return "the direct map is not where the kernel expects it, or too large";
    case HANDOFF_CHECK_DATA_BLOCK:
        return "the block of handoff data is misplaced or does not hold the handoff";
    case HANDOFF_CHECK_REGIONS:
        return "the array of regions is empty, misplaced or has a bad stride";
    case HANDOFF_CHECK_REGIONS_NOT_NORMALISED:
        return "the regions are not sorted, disjoint, aligned and non-empty";
    case HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP:
        return "a region of RAM lies outside the direct map";
    case HANDOFF_CHECK_EFI_MAP:
        return "the EFI memory map is empty, misplaced or has a bad stride";
    case HANDOFF_CHECK_COMMAND_LINE:
        return "the command line is misplaced or not terminated";
    case HANDOFF_CHECK_LOG:
        return "the loader's log is misplaced or not terminated";
    case HANDOFF_CHECK_TIMELINE:
        return "the timeline is misplaced, has a bad stride or a name without an end";
    case HANDOFF_CHECK_DATA_REGION:
        return "the handoff data does not lie in regions of its type";
    case HANDOFF_CHECK_KERNEL_IMAGE:
        return "the kernel's image is misplaced or does not lie in regions of its type";
    case HANDOFF_CHECK_STACK:
        return "the stack is misplaced or does not lie in regions of its type";
    case HANDOFF_CHECK_PAGE_TABLES:
        return "the page tables are misplaced or do not lie in regions of their type";
    case HANDOFF_CHECK_LOADER:
        return "the loader's image is misplaced or does not lie in regions of its type";
    }
    return "unknown status";
}

const char *handoff_framebuffer_text(enum handoff_framebuffer_status status)
{
    switch (status) {
    case HANDOFF_FRAMEBUFFER_OK:
        return "ok";
    case HANDOFF_FRAMEBUFFER_ABSENT:
        return "there is none";
    case HANDOFF_FRAMEBUFFER_FORMAT:
        return "unknown pixel format, depth or masks";
    case HANDOFF_FRAMEBUFFER_GEOMETRY:
        return "width, height, pitch and size contradict each other";
    case HANDOFF_FRAMEBUFFER_PLACE:
        return "misplaced, or not in regions of its type";
    }
    return "unknown status";
}

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
        return "not wholly LoaderData in the memory map";
    }
    return "unknown status";
}

/* How many levels of page tables there are, by the place of the direct map. */
static unsigned levels_of(uint64_t direct_map_base)
{
    return page_table_is_canonical(4, virt_addr(direct_map_base)) ? 4 : 5;
}

static bool is_canonical(const struct handoff *handoff, uint64_t address)
{
    return page_table_is_canonical(levels_of(handoff->direct_map_base), virt_addr(address));
}

static bool block_is_aligned(uint64_t base, uint64_t size_bytes)
{
    return page_is_aligned(base) && page_is_aligned(size_bytes) && size_bytes != 0;
}

/* A physical block of whole pages that does not wrap and lies in regions of one type. */
static bool block_is_covered(const struct region_list *regions, uint64_t base, uint64_t size_bytes,
                             enum handoff_region_type type)
{
    struct range range;
    return block_is_aligned(base, size_bytes) && range_from_base_size(base, size_bytes, &range) &&
           region_list_covers(regions, range, type);
}

/* [base, base + size_bytes) is inside the block of handoff data and aligned. */
static bool is_inside_data(const struct handoff *handoff, uint64_t base, uint64_t size_bytes,
                           uint64_t alignment_bytes)
{
    struct range data = {handoff->data_base, handoff->data_base + handoff->data_size_bytes};
    struct range inner;
    return base % alignment_bytes == 0 && range_from_base_size(base, size_bytes, &inner) &&
           range_contains(data, inner);
}

static bool is_array_inside_data(const struct handoff *handoff, uint64_t base, uint32_t count,
                                 uint32_t stride_bytes, uint64_t element_size_bytes)
{
    return stride_bytes >= element_size_bytes && stride_bytes % sizeof(uint64_t) == 0 &&
           is_inside_data(handoff, base, (uint64_t)count * stride_bytes, sizeof(uint64_t));
}

static const void *at_physical(uint64_t direct_map_base, uint64_t physical)
{
    return (const void *)(uintptr_t)(direct_map_base + physical);
}

/* A text inside the data with its NUL. NULL if it is not. */
static const char *text_inside_data(const struct handoff *handoff, uint64_t base,
                                    uint64_t size_bytes)
{
    if (size_bytes == UINT64_MAX || !is_inside_data(handoff, base, size_bytes + 1, 1))
        return NULL;
    const char *text = at_physical(handoff->direct_map_base, base);
    return text[size_bytes] == '\0' ? text : NULL;
}

/* What can be judged by the structure's first fields alone. Afterwards all of it is readable. */
static enum handoff_check_status check_identity(const struct handoff *handoff, unsigned levels)
{
    uintptr_t address = (uintptr_t)handoff;
    if (address == 0)
        return HANDOFF_CHECK_POINTER_NULL;
    if (address > UINTPTR_MAX - HANDOFF_CHECK_SIZE_MAX_BYTES ||
        !page_table_is_canonical(levels, virt_addr(address)) ||
        !page_table_is_canonical(levels, virt_addr(address + HANDOFF_CHECK_SIZE_MAX_BYTES)))
        return HANDOFF_CHECK_POINTER_NON_CANONICAL;
    if (address % _Alignof(struct handoff) != 0)
        return HANDOFF_CHECK_POINTER_MISALIGNED;
    if (handoff->magic != HANDOFF_MAGIC)
        return HANDOFF_CHECK_MAGIC;
    if (handoff->version_major != HANDOFF_VERSION_MAJOR)
        return HANDOFF_CHECK_MAJOR_VERSION;
    if (handoff->size_bytes < HANDOFF_SIZE_V1_BYTES ||
        handoff->size_bytes > HANDOFF_CHECK_SIZE_MAX_BYTES)
        return HANDOFF_CHECK_SIZE;
    if (handoff->checksum != handoff_checksum(handoff, handoff->size_bytes))
        return HANDOFF_CHECK_CHECKSUM;
    return HANDOFF_CHECK_OK;
}

/* The direct map and the data block, through which everything else is reached. */
static enum handoff_check_status check_place(const struct handoff *handoff,
                                             uint64_t direct_map_base)
{
    struct range data;
    if (handoff->direct_map_base != direct_map_base ||
        handoff->direct_map_size_bytes > direct_map_limit_bytes(levels_of(direct_map_base)))
        return HANDOFF_CHECK_DIRECT_MAP;
    if (!block_is_aligned(handoff->data_base, handoff->data_size_bytes) ||
        !range_from_base_size(handoff->data_base, handoff->data_size_bytes, &data) ||
        data.end > handoff->direct_map_size_bytes)
        return HANDOFF_CHECK_DATA_BLOCK;
    uint64_t own_physical = (uint64_t)(uintptr_t)handoff - direct_map_base;
    if (!is_inside_data(handoff, own_physical, handoff->size_bytes, _Alignof(struct handoff)))
        return HANDOFF_CHECK_DATA_BLOCK;
    return HANDOFF_CHECK_OK;
}

static enum handoff_check_status check_regions(const struct handoff *handoff,
                                               struct region_list *ret_regions)
{
    if (handoff->region_count == 0 ||
        !is_array_inside_data(handoff, handoff->regions, handoff->region_count,
                              handoff->region_stride_bytes, sizeof(struct handoff_region)))
        return HANDOFF_CHECK_REGIONS;
    struct region_list regions = {
        .first = at_physical(handoff->direct_map_base, handoff->regions),
        .count = handoff->region_count,
        .stride_bytes = handoff->region_stride_bytes,
    };
    if (!region_list_is_normalised(&regions))
        return HANDOFF_CHECK_REGIONS_NOT_NORMALISED;
    for (uint32_t i = 0; i < regions.count; i++) {
        if (region_type_is_ram(region_list_at(&regions, i)->type) &&
            region_list_range(&regions, i).end > handoff->direct_map_size_bytes)
            return HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP;
    }
    *ret_regions = regions;
    return HANDOFF_CHECK_OK;
}

static bool efi_map_is_sound(const struct handoff *handoff)
{
    uint32_t stride_bytes = handoff->efi_descriptor_size_bytes;
    return stride_bytes >= EFI_DESCRIPTOR_SIZE_MIN_BYTES && stride_bytes % sizeof(uint64_t) == 0 &&
           handoff->efi_map_size_bytes != 0 && handoff->efi_map_size_bytes % stride_bytes == 0 &&
           is_inside_data(handoff, handoff->efi_map, handoff->efi_map_size_bytes, sizeof(uint64_t));
}

const struct handoff_moment *handoff_view_moment(const struct handoff_view *view, uint32_t index)
{
    const uint8_t *bytes = view->timeline;
    return (const void *)(bytes + (uint64_t)index * view->handoff->timeline_stride_bytes);
}

static bool timeline_is_sound(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    if (handoff->timeline_count == 0)
        return true;
    if (!is_array_inside_data(handoff, handoff->timeline, handoff->timeline_count,
                              handoff->timeline_stride_bytes, sizeof(struct handoff_moment)))
        return false;
    for (uint32_t i = 0; i < handoff->timeline_count; i++) {
        const char *name = handoff_view_moment(view, i)->name;
        size_t length = 0;
        while (length < sizeof(((struct handoff_moment *)NULL)->name) && name[length] != '\0')
            length++;
        if (length == sizeof(((struct handoff_moment *)NULL)->name))
            return false;
    }
    return true;
}

/* Everything that the structure points to, and the view of it. */
static enum handoff_check_status check_pointers(const struct handoff *handoff,
                                                struct handoff_view *view)
{
    enum handoff_check_status status = check_regions(handoff, &view->regions);
    if (status != HANDOFF_CHECK_OK)
        return status;
    /* From here on the regions vouch for the block in which everything else is read. */
    if (!block_is_covered(&view->regions, handoff->data_base, handoff->data_size_bytes,
                          HANDOFF_REGION_HANDOFF_DATA))
        return HANDOFF_CHECK_DATA_REGION;
    if (!efi_map_is_sound(handoff))
        return HANDOFF_CHECK_EFI_MAP;
    view->efi_map = at_physical(handoff->direct_map_base, handoff->efi_map);
    view->command_line =
        text_inside_data(handoff, handoff->command_line, handoff->command_line_size_bytes);
    if (view->command_line == NULL)
        return HANDOFF_CHECK_COMMAND_LINE;
    view->log = text_inside_data(handoff, handoff->log, handoff->log_size_bytes);
    if (view->log == NULL)
        return HANDOFF_CHECK_LOG;
    view->timeline = at_physical(handoff->direct_map_base, handoff->timeline);
    return timeline_is_sound(view) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_TIMELINE;
}

static bool kernel_image_is_sound(const struct handoff *handoff, const struct region_list *regions)
{
    struct range image;
    return page_is_aligned(handoff->kernel_virtual_base) &&
           is_canonical(handoff, handoff->kernel_virtual_base) &&
           range_from_base_size(handoff->kernel_virtual_base, handoff->kernel_size_bytes, &image) &&
           range_contains_address(image, handoff->kernel_entry) &&
           block_is_covered(regions, handoff->kernel_physical_base, handoff->kernel_size_bytes,
                            HANDOFF_REGION_KERNEL_IMAGE);
}

static bool stack_is_sound(const struct handoff *handoff, const struct region_list *regions)
{
    struct range stack;
    return page_is_aligned(handoff->stack_virtual_base) &&
           is_canonical(handoff, handoff->stack_virtual_base) &&
           range_from_base_size(handoff->stack_virtual_base, handoff->stack_size_bytes, &stack) &&
           block_is_covered(regions, handoff->stack_physical_base, handoff->stack_size_bytes,
                            HANDOFF_REGION_STACK);
}

static bool page_tables_are_sound(const struct handoff *handoff, const struct region_list *regions)
{
    /* CR3 has flags in its low 12 bits (Intel SDM Vol. 3A, 4.5.2). */
    uint64_t root = page_align_down(handoff->page_table_root);
    return block_is_covered(regions, handoff->page_tables_base, handoff->page_tables_size_bytes,
                            HANDOFF_REGION_PAGE_TABLES) &&
           root >= handoff->page_tables_base &&
           root - handoff->page_tables_base < handoff->page_tables_size_bytes;
}

/* What the loader placed lies in regions of its own type, so that nobody else is given it. */
static enum handoff_check_status check_ownership(const struct handoff *handoff,
                                                 const struct region_list *regions)
{
    if (!kernel_image_is_sound(handoff, regions))
        return HANDOFF_CHECK_KERNEL_IMAGE;
    if (!stack_is_sound(handoff, regions))
        return HANDOFF_CHECK_STACK;
    if (!page_tables_are_sound(handoff, regions))
        return HANDOFF_CHECK_PAGE_TABLES;
    if (!block_is_covered(regions, handoff->loader_base, handoff->loader_size_bytes,
                          HANDOFF_REGION_LOADER))
        return HANDOFF_CHECK_LOADER;
    return HANDOFF_CHECK_OK;
}

static bool framebuffer_format_is_sound(const struct handoff_framebuffer *framebuffer)
{
    uint32_t depth = framebuffer->bits_per_pixel;
    uint64_t masks[] = {framebuffer->red_mask, framebuffer->green_mask, framebuffer->blue_mask};
    uint64_t seen = 0;
    switch (framebuffer->pixel_format) {
    case HANDOFF_PIXEL_FORMAT_RGBX8888:
    case HANDOFF_PIXEL_FORMAT_BGRX8888:
        return depth == 32;
    case HANDOFF_PIXEL_FORMAT_MASKS:
        break;
    default:
        return false;
    }
    if (depth != 8 && depth != 16 && depth != 24 && depth != 32)
        return false;
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        if (masks[i] == 0 || (masks[i] & seen) != 0 || masks[i] >> depth != 0)
            return false;
        seen |= masks[i];
    }
    return true;
}

static enum handoff_framebuffer_status check_framebuffer(const struct handoff *handoff,
                                                         const struct region_list *regions)
{
    const struct handoff_framebuffer *framebuffer = &handoff->framebuffer;
    if (framebuffer->pixel_format == HANDOFF_PIXEL_FORMAT_NONE)
        return HANDOFF_FRAMEBUFFER_ABSENT;
    if (!framebuffer_format_is_sound(framebuffer))
        return HANDOFF_FRAMEBUFFER_FORMAT;
    uint64_t line_bytes = (uint64_t)framebuffer->width_pixels * (framebuffer->bits_per_pixel / 8);
    /* 32 × 32 bits: the product cannot wrap. */
    uint64_t needed_bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height_pixels;
    if (line_bytes == 0 || needed_bytes == 0 || framebuffer->pitch_bytes < line_bytes ||
        needed_bytes > framebuffer->size_bytes)
        return HANDOFF_FRAMEBUFFER_GEOMETRY;
    if (!block_is_covered(regions, framebuffer->base, framebuffer->size_bytes,
                          HANDOFF_REGION_FRAMEBUFFER) ||
        framebuffer->base + framebuffer->size_bytes >
            direct_map_limit_bytes(levels_of(handoff->direct_map_base)))
        return HANDOFF_FRAMEBUFFER_PLACE;
    return HANDOFF_FRAMEBUFFER_OK;
}

enum handoff_check_status handoff_check(const void *handoff, uint64_t direct_map_base,
                                        struct handoff_view *ret_view)
{
    struct handoff_view view = {.handoff = handoff};
    enum handoff_check_status status = check_identity(handoff, levels_of(direct_map_base));
    if (status == HANDOFF_CHECK_OK)
        status = check_place(handoff, direct_map_base);
    if (status == HANDOFF_CHECK_OK)
        status = check_pointers(handoff, &view);
    if (status == HANDOFF_CHECK_OK)
        status = check_ownership(handoff, &view.regions);
    if (status != HANDOFF_CHECK_OK)
        return status;
    view.framebuffer = check_framebuffer(view.handoff, &view.regions);
    *ret_view = view;
    return HANDOFF_CHECK_OK;
}

static bool temp_heap_overlaps_others(const struct handoff_view *view, struct range heap)
{
    const struct handoff *handoff = view->handoff;
    const struct handoff_framebuffer *framebuffer = &handoff->framebuffer;
    const struct range others[] = {
        {handoff->kernel_physical_base, handoff->kernel_physical_base + handoff->kernel_size_bytes},
        {handoff->data_base, handoff->data_base + handoff->data_size_bytes},
        {handoff->page_tables_base, handoff->page_tables_base + handoff->page_tables_size_bytes},
        {handoff->stack_physical_base, handoff->stack_physical_base + handoff->stack_size_bytes},
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (range_overlaps(others[i], heap))
            return true;
    }
    /* The framebuffer's numbers may have been found wrong; then the region's type must tell. */
    return view->framebuffer == HANDOFF_FRAMEBUFFER_OK &&
           range_overlaps(
               (struct range){framebuffer->base, framebuffer->base + framebuffer->size_bytes},
               heap);
}

static bool is_loader_data(const struct region_list *regions, struct range heap)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        if (range_overlaps(region_list_range(regions, i), heap) &&
            region_list_at(regions, i)->efi_type != EFI_TYPE_LOADER_DATA)
            return false;
    }
    return region_list_covers(regions, heap, HANDOFF_REGION_TEMP_HEAP);
}

enum handoff_temp_heap_status handoff_check_temp_heap(const struct handoff_view *view)
{
    uint64_t base = view->handoff->temp_heap_base;
    uint64_t size_bytes = view->handoff->temp_heap_size;
    struct range heap;
    if (base == 0 && size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ABSENT;
    if (base == 0 || size_bytes == 0)
        return HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO;
    if (base < PAGE_SIZE_BYTES)
        return HANDOFF_TEMP_HEAP_FRAME_ZERO;
    if (!page_is_aligned(base))
        return HANDOFF_TEMP_HEAP_UNALIGNED;
    if (!range_from_base_size(base, size_bytes, &heap))
        return HANDOFF_TEMP_HEAP_WRAPS;
    if (size_bytes < EARLY_HEAP_SIZE_MIN_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_SMALL;
    if (size_bytes > EARLY_HEAP_SIZE_MAX_BYTES)
        return HANDOFF_TEMP_HEAP_TOO_LARGE;
    if (temp_heap_overlaps_others(view, heap))
        return HANDOFF_TEMP_HEAP_OVERLAPS;
    if (!is_loader_data(&view->regions, heap))
        return HANDOFF_TEMP_HEAP_NOT_LOADER_DATA;
    return HANDOFF_TEMP_HEAP_OK;
}
