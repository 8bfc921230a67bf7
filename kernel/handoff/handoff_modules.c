#include "kernel/handoff/handoff_modules.h"

#include "kernel/handoff/handoff_data.h"

/* An array of blocks, of which the first two fields are base and size. */
struct block_array {
    const struct handoff_array *array;
    enum handoff_region_type type;
    uint64_t size_unit_bytes; /* sizes are multiples of it */
};

_Static_assert(offsetof(struct handoff_module, size_bytes) ==
                   offsetof(struct handoff_temp_heap, size_bytes),
               "a module begins as a heap");

static const void *element_at(const struct handoff_validation *validation,
                              const struct handoff_array *array, uint32_t index)
{
    return handoff_validation_at(validation,
                                 phys_addr(array->first + (uint64_t)index * array->stride_bytes));
}

/* Write the pages of an element. */
static bool find_block(const struct handoff_validation *validation,
                       const struct block_array *blocks, uint32_t index,
                       struct phys_range *ret_block)
{
    const struct handoff_temp_heap *element = element_at(validation, blocks->array, index);
    return element->size_bytes % blocks->size_unit_bytes == 0 &&
           element->size_bytes <= UINT64_MAX - PAGE_MASK &&
           handoff_validation_block(element->base, page_align_up(element->size_bytes), ret_block);
}

/* An earlier element that is no block was refused, or is the first heap, which may be absent. */
static bool overlaps_earlier(const struct handoff_validation *validation,
                             const struct block_array *blocks, uint32_t index,
                             struct phys_range block)
{
    struct phys_range earlier;
    for (uint32_t i = 0; i < index; i++) {
        if (find_block(validation, blocks, i, &earlier) && phys_range_overlaps(earlier, block))
            return true;
    }
    return false;
}

/* Check the elements from `first` on. */
static bool blocks_are_good(const struct handoff_validation *validation,
                            const struct block_array *blocks, uint32_t first)
{
    struct phys_range block;
    if (blocks->array->count > HANDOFF_MODULES_LIMIT)
        return false;
    for (uint32_t i = first; i < blocks->array->count; i++) {
        if (!find_block(validation, blocks, i, &block) ||
            !handoff_validation_is_covered(validation, block, blocks->type) ||
            overlaps_earlier(validation, blocks, i, block))
            return false;
    }
    return true;
}

static enum handoff_check_status check_heaps(struct handoff_validation *validation)
{
    const struct block_array heaps = {&validation->handoff->temp_heaps, HANDOFF_REGION_TEMP_HEAP,
                                      PAGE_SIZE_BYTES};
    return blocks_are_good(validation, &heaps, 1) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_TEMP_HEAPS;
}

/* Precondition: the blocks are good. */
static uint64_t sum_bytes(const struct handoff_validation *validation,
                          const struct block_array *blocks)
{
    uint64_t sum = 0;
    struct phys_range block;
    for (uint32_t i = 0; i < blocks->array->count; i++) {
        if (find_block(validation, blocks, i, &block))
            sum += phys_range_size_bytes(block);
    }
    return sum;
}

static enum handoff_check_status check_modules(struct handoff_validation *validation)
{
    const struct block_array modules = {&validation->handoff->modules, HANDOFF_REGION_MODULE, 1};
    if (!blocks_are_good(validation, &modules, 0))
        return HANDOFF_CHECK_MODULES;
    return sum_bytes(validation, &modules) ==
                   region_list_bytes_of_type(&validation->view.regions, HANDOFF_REGION_MODULE)
               ? HANDOFF_CHECK_OK
               : HANDOFF_CHECK_STRAY_REGION;
}

static enum handoff_check_status check_texts(struct handoff_validation *validation)
{
    const struct handoff_array *array = &validation->handoff->modules;
    validation->view.modules = handoff_validation_at(validation, phys_addr(array->first));
    for (uint32_t i = 0; i < array->count; i++) {
        const struct handoff_module *module = element_at(validation, array, i);
        if (handoff_data_text(validation, module->name) == NULL ||
            handoff_data_text(validation, module->command_line) == NULL)
            return HANDOFF_CHECK_MODULE_TEXTS;
    }
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_modules_check(struct handoff_validation *validation)
{
    static const struct handoff_step STEPS[] = {{check_heaps}, {check_modules}, {check_texts}};
    return handoff_validation_run(validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
}
