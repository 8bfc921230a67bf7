#include "kernel/handoff/handoff_mismatch.h"

#include "kernel/arch.h"
#include "shared/handoff.h"

static bool numbers(struct handoff_mismatch *ret_mismatch, uint64_t handed_over, uint64_t known)
{
    *ret_mismatch = (struct handoff_mismatch){handed_over, known};
    return true;
}

static bool compare(const struct handoff *handoff, const struct entry_state *state,
                    enum handoff_check_status status, struct handoff_mismatch *ret)
{
    switch (status) {
    case HANDOFF_CHECK_MAJOR_VERSION:
        return numbers(ret, handoff->version_major, HANDOFF_VERSION_MAJOR);
    case HANDOFF_CHECK_PAGE_TABLE_ROOT:
        return numbers(ret, arch_handoff_page_table_root(handoff).value,
                       state->page_table_root.value);
    case HANDOFF_CHECK_KERNEL_BASE:
        return numbers(ret, handoff->kernel_virtual_base, state->image.start.value);
    case HANDOFF_CHECK_KERNEL_SIZE:
        return numbers(ret, handoff->kernel_size_bytes, virt_range_size_bytes(state->image));
    case HANDOFF_CHECK_KERNEL_ENTRY:
        return numbers(ret, handoff->kernel_entry, state->entry.value);
    case HANDOFF_CHECK_KERNEL_SLIDE:
        return numbers(ret, handoff->kernel_slide, state->slide);
    case HANDOFF_CHECK_STACK_POINTER:
        return numbers(ret, handoff->stack_virtual_base, state->stack_pointer.value);
    default:
        return false;
    }
}

/* If the pointer itself is refused, the structure is not read. */
bool handoff_mismatch_find(struct virt_addr address, const struct entry_state *state,
                           enum handoff_check_status status, struct handoff_mismatch *ret_mismatch)
{
    uint64_t place = address.value - state->direct_map_base.value;
    return compare((const struct handoff *)(state->memory_base + place), state, status,
                   ret_mismatch);
}
