#include "kernel/handoff/handoff_data.h"

#include "kernel/handoff/handoff_tables.h"
#include "kernel/handoff/handoff_text.h"

/* UEFI 2.10, section 7.2.3: EFI_MEMORY_DESCRIPTOR up to its last field. */
#define EFI_DESCRIPTOR_SIZE_MIN_BYTES 40

/* --- The block -------------------------------------------------------------------------------- */

static bool is_inside(const struct handoff_validation *validation, uint64_t base,
                      uint64_t size_bytes, uint64_t alignment_bytes)
{
    struct phys_range inner;
    return base % alignment_bytes == 0 &&
           phys_range_from_base_size(phys_addr(base), size_bytes, &inner) &&
           phys_range_contains(validation->data_block, inner);
}

enum handoff_check_status handoff_data_check_block(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    if (!handoff_tables_reachable_block(handoff, handoff->data_base, handoff->data_size_bytes,
                                        &validation->data_block) ||
        !is_inside(validation, validation->place.value, handoff->size_bytes,
                   _Alignof(struct handoff)))
        return HANDOFF_CHECK_DATA_BLOCK;
    if (!handoff_validation_is_in_direct_map(validation, validation->data_block))
        return HANDOFF_CHECK_DATA_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}

/* 32 × 32 bits: the product cannot wrap. */
bool handoff_data_has_array(const struct handoff_validation *validation,
                            const struct handoff_array *array, uint64_t element_size_bytes)
{
    return array->count != 0 && array->stride_bytes >= element_size_bytes &&
           array->stride_bytes % sizeof(uint64_t) == 0 &&
           is_inside(validation, array->first, (uint64_t)array->count * array->stride_bytes,
                     sizeof(uint64_t));
}

/* --- The data in it --------------------------------------------------------------------------- */

/* After this, the block is known to lie in regions of its type too. */
static enum handoff_check_status check_region(struct handoff_validation *validation)
{
    return handoff_validation_is_covered(validation, validation->data_block,
                                         HANDOFF_REGION_HANDOFF_DATA)
               ? HANDOFF_CHECK_OK
               : HANDOFF_CHECK_DATA_REGION;
}

static bool efi_map_is_valid(const struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    uint32_t stride_bytes = handoff->efi_descriptor_size_bytes;
    return stride_bytes >= EFI_DESCRIPTOR_SIZE_MIN_BYTES && stride_bytes % sizeof(uint64_t) == 0 &&
           handoff->efi_map_size_bytes != 0 && handoff->efi_map_size_bytes % stride_bytes == 0 &&
           is_inside(validation, handoff->efi_map, handoff->efi_map_size_bytes, sizeof(uint64_t));
}

static enum handoff_check_status check_efi_map(struct handoff_validation *validation)
{
    if (!efi_map_is_valid(validation))
        return HANDOFF_CHECK_EFI_MAP;
    validation->view.efi_map =
        handoff_validation_at(validation, phys_addr(validation->handoff->efi_map));
    return HANDOFF_CHECK_OK;
}

const char *handoff_data_text(const struct handoff_validation *validation,
                              struct handoff_text place)
{
    if (place.size_bytes == UINT64_MAX ||
        !is_inside(validation, place.address, place.size_bytes + 1, 1))
        return NULL;
    const char *text = handoff_validation_at(validation, phys_addr(place.address));
    return text[place.size_bytes] == '\0' ? text : NULL;
}

static enum handoff_check_status check_texts(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    validation->view.command_line = handoff_data_text(validation, handoff->command_line);
    if (validation->view.command_line == NULL)
        return HANDOFF_CHECK_COMMAND_LINE;
    validation->view.log = handoff_data_text(validation, handoff->log);
    if (validation->view.log == NULL)
        return HANDOFF_CHECK_LOG;
    return handoff_data_text(validation, handoff->kernel_path) != NULL ? HANDOFF_CHECK_OK
                                                                       : HANDOFF_CHECK_KERNEL_PATH;
}

static bool names_have_ends(const struct handoff_view *view)
{
    for (uint32_t i = 0; i < view->handoff->timeline.count; i++) {
        const struct handoff_moment *moment = handoff_view_moment(view, i);
        if (!handoff_text_has_end(moment->name, sizeof(moment->name)))
            return false;
    }
    return true;
}

static enum handoff_check_status check_timeline(struct handoff_validation *validation)
{
    const struct handoff_array *timeline = &validation->handoff->timeline;
    validation->view.timeline = handoff_validation_at(validation, phys_addr(timeline->first));
    if (timeline->count != 0 &&
        (!handoff_data_has_array(validation, timeline, sizeof(struct handoff_moment)) ||
         !names_have_ends(&validation->view)))
        return HANDOFF_CHECK_TIMELINE;
    return HANDOFF_CHECK_OK;
}

/* Check the arrays that a kernel may follow later. Readers must check the data to which their
 * elements point. */
static enum handoff_check_status check_other_arrays(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    const struct {
        const struct handoff_array *array;
        size_t element_size_bytes;
    } others[] = {
        {&handoff->temp_heaps, sizeof(struct handoff_temp_heap)},
        {&handoff->modules, sizeof(struct handoff_module)},
        {&handoff->framebuffers, sizeof(struct handoff_framebuffer)},
        {&handoff->processors, sizeof(struct handoff_processor)},
        {&handoff->firmware_tables, sizeof(struct handoff_firmware_table)},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].array->count != 0 &&
            !handoff_data_has_array(validation, others[i].array, others[i].element_size_bytes))
            return HANDOFF_CHECK_ARRAYS;
    }
    return HANDOFF_CHECK_OK;
}

/* Precondition: the array was checked. */
static enum handoff_check_status view_first_temp_heap(struct handoff_validation *validation)
{
    const struct handoff_array *heaps = &validation->handoff->temp_heaps;
    if (heaps->count != 0)
        validation->view.first_temp_heap = *(const struct handoff_temp_heap *)handoff_validation_at(
            validation, phys_addr(heaps->first));
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_data_check(struct handoff_validation *validation)
{
    static const struct handoff_step STEPS[] = {
        {check_region},   {check_efi_map},      {check_texts},
        {check_timeline}, {check_other_arrays}, {view_first_temp_heap},
    };
    return handoff_validation_run(validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
}
