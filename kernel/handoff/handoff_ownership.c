#include "kernel/handoff/handoff_ownership.h"

#include "shared/post_mortem.h"
#include "shared/region.h"

static bool is_upper_half(uint64_t address)
{
    return address >> 63 != 0;
}

/* --- The kernel's image ----------------------------------------------------------------------- */

static bool segment_is_mapped(const struct handoff_validation *validation,
                              const struct kernel_segment *segment)
{
    uint64_t offset = segment->virtual.start.value - validation->state->image.start.value;
    uint64_t physical = validation->handoff->kernel_physical_base + offset;
    struct page_permissions permissions = {.write = segment->write, .execute = segment->execute};
    return virt_range_is_empty(segment->virtual) ||
           handoff_validation_is_mapped(
               validation, segment->virtual.start,
               phys_range(physical, physical + virt_range_size_bytes(segment->virtual)),
               permissions);
}

static bool segments_are_mapped(const struct handoff_validation *validation)
{
    for (size_t i = 0; i < validation->state->segment_count; i++) {
        if (!segment_is_mapped(validation, &validation->state->segments[i]))
            return false;
    }
    return true;
}

static enum handoff_check_status check_image(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    const struct entry_state *state = validation->state;
    struct phys_range image;
    if (handoff->kernel_virtual_base != state->image.start.value)
        return HANDOFF_CHECK_KERNEL_BASE;
    if (handoff->kernel_size_bytes != virt_range_size_bytes(state->image))
        return HANDOFF_CHECK_KERNEL_SIZE;
    if (handoff->kernel_entry != state->entry.value)
        return HANDOFF_CHECK_KERNEL_ENTRY;
    if (handoff->kernel_slide != state->slide)
        return HANDOFF_CHECK_KERNEL_SLIDE;
    if (!handoff_validation_block(handoff->kernel_physical_base, handoff->kernel_size_bytes,
                                  &image) ||
        !handoff_validation_is_covered(validation, image, HANDOFF_REGION_KERNEL_IMAGE))
        return HANDOFF_CHECK_KERNEL_IMAGE;
    if (!segments_are_mapped(validation))
        return HANDOFF_CHECK_KERNEL_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}

/* --- The stack -------------------------------------------------------------------------------- */

/* The stack is in the upper half, with a page below it. */
static bool find_stack(const struct handoff *handoff, struct virt_range *ret_stack)
{
    uint64_t base = handoff->stack_virtual_base;
    return is_upper_half(base) && is_upper_half(base - PAGE_SIZE_BYTES) &&
           handoff_validation_virtual_block(base, handoff->stack_size_bytes, ret_stack);
}

/* An overflow must fault, and must not overwrite the memory below. */
static bool page_below_is_mapped(const struct handoff_validation *validation,
                                 struct virt_range stack)
{
    struct virt_addr below = virt_addr(stack.start.value - PAGE_SIZE_BYTES);
    enum page_table_status status = page_table_validate(
        &validation->tables, below, phys_addr(0), PAGE_SIZE_BYTES, (struct page_permissions){0});
    return status != PAGE_TABLE_NOT_MAPPED && status != PAGE_TABLE_NON_CANONICAL;
}

static enum handoff_check_status check_stack(struct handoff_validation *validation)
{
    static const struct page_permissions READ_WRITE = {.write = true};
    const struct handoff *handoff = validation->handoff;
    struct virt_range stack;
    struct phys_range memory;
    if (!find_stack(handoff, &stack) ||
        !handoff_validation_block(handoff->stack_physical_base, handoff->stack_size_bytes,
                                  &memory) ||
        !handoff_validation_is_covered(validation, memory, HANDOFF_REGION_STACK))
        return HANDOFF_CHECK_STACK;
    if (!virt_range_contains_address(stack, validation->state->stack_pointer))
        return HANDOFF_CHECK_STACK_POINTER;
    if (!handoff_validation_is_mapped(validation, stack.start, memory, READ_WRITE))
        return HANDOFF_CHECK_STACK_NOT_MAPPED;
    return page_below_is_mapped(validation, stack) ? HANDOFF_CHECK_STACK_GUARD : HANDOFF_CHECK_OK;
}

/* --- The page tables -------------------------------------------------------------------------- */

static enum handoff_check_status check_page_tables(struct handoff_validation *validation)
{
    return handoff_validation_is_covered(validation, validation->table_block,
                                         HANDOFF_REGION_PAGE_TABLES)
               ? HANDOFF_CHECK_OK
               : HANDOFF_CHECK_PAGE_TABLES_REGION;
}

/* --- The loader ------------------------------------------------------------------------------- */

/* If the firmware loads the loader below 1 MiB, its image stays in low memory, which is never free.
 */
static bool loader_is_owned(const struct handoff_validation *validation)
{
    struct phys_range memory;
    return handoff_validation_block(validation->handoff->loader_physical_base,
                                    validation->handoff->loader_size_bytes, &memory) &&
           (handoff_validation_is_covered(validation, memory, HANDOFF_REGION_LOADER) ||
            handoff_validation_is_covered(validation, memory, HANDOFF_REGION_LOW_MEMORY));
}

/* The CPU uses these tables until the kernel has its own. */
static bool loader_has_cpu_tables(const struct entry_state *state, struct virt_range loader)
{
    for (size_t i = 0; i < state->cpu_table_count; i++) {
        if (!virt_range_contains(loader, state->cpu_tables[i]))
            return false;
    }
    return true;
}

static enum handoff_check_status check_loader(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    struct virt_range loader;
    if (!loader_is_owned(validation) ||
        !handoff_validation_virtual_block(handoff->loader_virtual_base, handoff->loader_size_bytes,
                                          &loader) ||
        !is_upper_half(loader.start.value))
        return HANDOFF_CHECK_LOADER;
    return loader_has_cpu_tables(validation->state, loader) ? HANDOFF_CHECK_OK
                                                            : HANDOFF_CHECK_CPU_TABLES;
}

/* --- The page for starting processors --------------------------------------------------------- */

/* A processor starts in real mode, at the start of a page whose number has one byte. */
#define REAL_MODE_LIMIT_ADDRESS (UINT64_C(1) << 20)

/* The firmware may have had no such page. */
static bool processor_start_is_valid(const struct handoff_validation *validation)
{
    uint64_t base = validation->handoff->processor_start_base;
    uint64_t size_bytes = validation->handoff->processor_start_size_bytes;
    struct phys_range page;
    if (base == 0 || size_bytes == 0)
        return base == size_bytes;
    return handoff_validation_block(base, size_bytes, &page) &&
           handoff_validation_is_covered(validation, page, HANDOFF_REGION_PROCESSOR_START) &&
           page.end.value <= REAL_MODE_LIMIT_ADDRESS;
}

static enum handoff_check_status check_processor_start(struct handoff_validation *validation)
{
    return processor_start_is_valid(validation) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_PROCESSOR_START;
}

/* --- The boot record -------------------------------------------------------------------------- */

/* The loader may have found no place for it. */
static bool boot_record_is_valid(const struct handoff_validation *validation)
{
    struct handoff_range place = validation->handoff->previous_boot;
    struct phys_range pages;
    if (place.base == 0 || place.size_bytes == 0)
        return place.base == place.size_bytes;
    return place.size_bytes >= POST_MORTEM_AREA_SIZE_BYTES &&
           handoff_validation_block(place.base, place.size_bytes, &pages) &&
           handoff_validation_is_covered(validation, pages, HANDOFF_REGION_BOOT_RECORD);
}

static enum handoff_check_status check_boot_record(struct handoff_validation *validation)
{
    return boot_record_is_valid(validation) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_BOOT_RECORD;
}

/* --- The kernel's symbols --------------------------------------------------------------------- */

#define SYMBOL_SIZE_BYTES 24 /* Elf64_Sym */

/* The parts are not of whole pages. */
static bool has_symbol_bytes(const struct handoff_validation *validation, uint64_t base,
                             uint64_t size_bytes)
{
    struct phys_range bytes;
    if (size_bytes == 0 || !phys_range_from_base_size(phys_addr(base), size_bytes, &bytes) ||
        bytes.end.value > validation->handoff->direct_map_size_bytes)
        return false;
    struct phys_range pages = phys_range(page_align_down(base), page_align_up(bytes.end.value));
    return handoff_validation_is_covered(validation, pages, HANDOFF_REGION_KERNEL_SYMBOLS);
}

/* 32 × 32 bits: the product cannot wrap. */
static bool symbols_are_valid(const struct handoff_validation *validation)
{
    const struct handoff_array *symbols = &validation->handoff->kernel_symbols;
    const struct handoff_range *strings = &validation->handoff->kernel_strings;
    if (symbols->count == 0)
        return strings->size_bytes == 0;
    return symbols->stride_bytes >= SYMBOL_SIZE_BYTES &&
           symbols->stride_bytes % sizeof(uint64_t) == 0 &&
           symbols->first % sizeof(uint64_t) == 0 &&
           has_symbol_bytes(validation, symbols->first,
                            (uint64_t)symbols->count * symbols->stride_bytes) &&
           has_symbol_bytes(validation, strings->base, strings->size_bytes);
}

/* Of the pages with the symbols, at most: both parts may share one. */
static uint64_t symbols_limit_bytes(const struct handoff *handoff)
{
    return page_align_up((uint64_t)handoff->kernel_symbols.count *
                         handoff->kernel_symbols.stride_bytes) +
           page_align_up(handoff->kernel_strings.size_bytes);
}

static enum handoff_check_status check_symbols(struct handoff_validation *validation)
{
    return symbols_are_valid(validation) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_KERNEL_SYMBOLS;
}

/* --- The processors that wait ----------------------------------------------------------------- */

/* The loader may have started none. */
static bool parking_is_valid(const struct handoff_validation *validation)
{
    struct handoff_range parking = validation->handoff->parking;
    struct phys_range block;
    if (parking.base == 0 || parking.size_bytes == 0)
        return parking.base == parking.size_bytes;
    return handoff_validation_block(parking.base, parking.size_bytes, &block) &&
           handoff_validation_is_covered(validation, block, HANDOFF_REGION_PARKING);
}

static enum handoff_check_status check_parking(struct handoff_validation *validation)
{
    return parking_is_valid(validation) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_PARKING;
}

/* --- Nothing of it elsewhere ------------------------------------------------------------------ */

/* Regions of these types must lie only in their block. They are known to cover the block, so a
 * comparison of the sizes is enough. */
static enum handoff_check_status check_stray_regions(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    const struct {
        enum handoff_region_type type;
        uint64_t block_size_bytes;
    } blocks[] = {
        {HANDOFF_REGION_STACK, handoff->stack_size_bytes},
        {HANDOFF_REGION_PAGE_TABLES, handoff->page_tables_size_bytes},
        {HANDOFF_REGION_HANDOFF_DATA, handoff->data_size_bytes},
        {HANDOFF_REGION_KERNEL_IMAGE, handoff->kernel_size_bytes},
        {HANDOFF_REGION_PROCESSOR_START, handoff->processor_start_size_bytes},
        {HANDOFF_REGION_BOOT_RECORD, handoff->previous_boot.size_bytes},
        {HANDOFF_REGION_PARKING, handoff->parking.size_bytes},
        {HANDOFF_REGION_KERNEL_SYMBOLS, symbols_limit_bytes(handoff)},
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (region_list_bytes_of_type(&validation->view.regions, blocks[i].type) >
            blocks[i].block_size_bytes)
            return HANDOFF_CHECK_STRAY_REGION;
    }
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_ownership_check(struct handoff_validation *validation)
{
    static const struct handoff_step STEPS[] = {
        {check_image},   {check_stack},           {check_page_tables},
        {check_loader},  {check_processor_start}, {check_boot_record},
        {check_parking}, {check_symbols},         {check_stray_regions},
    };
    return handoff_validation_run(validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
}
