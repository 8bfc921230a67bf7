#include "kernel/handoff/handoff_validation.h"

#include "shared/address.h"

enum handoff_check_status handoff_validation_run(struct handoff_validation *validation,
                                                 const struct handoff_step *steps,
                                                 size_t step_count)
{
    for (size_t i = 0; i < step_count; i++) {
        enum handoff_check_status status = steps[i].check(validation);
        if (status != HANDOFF_CHECK_OK)
            return status;
    }
    return HANDOFF_CHECK_OK;
}

const void *handoff_validation_at(const struct handoff_validation *validation,
                                  struct phys_addr address)
{
    return (const void *)(validation->state->memory_base + address.value);
}

static bool is_of_whole_pages(uint64_t base, uint64_t size_bytes)
{
    return page_is_aligned(base) && page_is_aligned(size_bytes) && size_bytes != 0;
}

bool handoff_validation_block(uint64_t base, uint64_t size_bytes, struct phys_range *ret_block)
{
    return is_of_whole_pages(base, size_bytes) &&
           phys_range_from_base_size(phys_addr(base), size_bytes, ret_block);
}

bool handoff_validation_virtual_block(uint64_t base, uint64_t size_bytes,
                                      struct virt_range *ret_block)
{
    return is_of_whole_pages(base, size_bytes) &&
           virt_range_from_base_size(virt_addr(base), size_bytes, ret_block);
}

bool handoff_validation_is_covered(const struct handoff_validation *validation,
                                   struct phys_range block, enum handoff_region_type type)
{
    return region_list_covers(&validation->view.regions, block, type);
}

bool handoff_validation_is_mapped(const struct handoff_validation *validation,
                                  struct virt_addr virtual, struct phys_range block,
                                  struct page_permissions permissions)
{
    return page_table_validate(&validation->tables, virtual, block.start,
                               phys_range_size_bytes(block), permissions) == PAGE_TABLE_OK;
}

struct virt_addr handoff_validation_direct_map(const struct handoff_validation *validation,
                                               struct phys_addr address)
{
    return virt_addr_add(validation->state->direct_map_base, address.value);
}

bool handoff_validation_is_in_direct_map(const struct handoff_validation *validation,
                                         struct phys_range block)
{
    static const struct page_permissions READ_WRITE = {.write = true};
    return handoff_validation_is_mapped(
        validation, handoff_validation_direct_map(validation, block.start), block, READ_WRITE);
}
