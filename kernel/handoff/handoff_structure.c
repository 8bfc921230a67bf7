#include "kernel/handoff/handoff_structure.h"

#include "kernel/arch.h"
#include "kernel/handoff/handoff_text.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"

/* The structure begins at a page boundary and has at most one page. So all of it is readable if its
 * first byte is.
 */
static enum handoff_check_status check_pointer(struct virt_addr address,
                                               const struct entry_state *state)
{
    unsigned levels = state->features.levels;
    uint64_t base = state->direct_map_base.value;
    if (address.value == 0)
        return HANDOFF_CHECK_POINTER_NULL;
    if (!page_table_is_canonical(levels, address))
        return HANDOFF_CHECK_POINTER_NON_CANONICAL;
    if (!page_is_aligned(address.value))
        return HANDOFF_CHECK_POINTER_MISALIGNED;
    if (address.value < base ||
        address.value - base > direct_map_limit(levels).value - PAGE_SIZE_BYTES)
        return HANDOFF_CHECK_POINTER_OUTSIDE;
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_structure_find(struct handoff_validation *validation,
                                                 struct virt_addr address)
{
    enum handoff_check_status status = check_pointer(address, validation->state);
    if (status != HANDOFF_CHECK_OK)
        return status;
    validation->place = phys_addr(address.value - validation->state->direct_map_base.value);
    validation->handoff = handoff_validation_at(validation, validation->place);
    validation->view.handoff = validation->handoff;
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_structure_check(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    if (handoff->magic != HANDOFF_MAGIC)
        return HANDOFF_CHECK_MAGIC;
    if (handoff->version_major != HANDOFF_VERSION_MAJOR)
        return HANDOFF_CHECK_MAJOR_VERSION;
    if (handoff->size_bytes < HANDOFF_SIZE_V2_BYTES ||
        handoff->size_bytes > HANDOFF_CHECK_SIZE_MAX_BYTES)
        return HANDOFF_CHECK_SIZE;
    if (handoff->checksum != handoff_checksum(handoff, handoff->size_bytes))
        return HANDOFF_CHECK_CHECKSUM;
    if (handoff->machine != arch_handoff_machine())
        return HANDOFF_CHECK_MACHINE;
    if (!handoff_text_has_end(handoff->loader_name, sizeof(handoff->loader_name)))
        return HANDOFF_CHECK_LOADER_NAME;
    return HANDOFF_CHECK_OK;
}
