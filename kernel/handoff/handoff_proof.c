#include "kernel/handoff/handoff_proof.h"

#include "shared/address.h"

enum handoff_check_status handoff_proof_run(struct handoff_proof *proof,
                                            const struct handoff_step *steps, size_t step_count)
{
    for (size_t i = 0; i < step_count; i++) {
        enum handoff_check_status status = steps[i].check(proof);
        if (status != HANDOFF_CHECK_OK)
            return status;
    }
    return HANDOFF_CHECK_OK;
}

const void *handoff_proof_at(const struct handoff_proof *proof, struct phys_addr address)
{
    return (const void *)(proof->state->memory_base + address.value);
}

static bool is_of_whole_pages(uint64_t base, uint64_t size_bytes)
{
    return page_is_aligned(base) && page_is_aligned(size_bytes) && size_bytes != 0;
}

bool handoff_proof_block(uint64_t base, uint64_t size_bytes, struct phys_range *ret_block)
{
    return is_of_whole_pages(base, size_bytes) &&
           phys_range_from_base_size(phys_addr(base), size_bytes, ret_block);
}

bool handoff_proof_virtual_block(uint64_t base, uint64_t size_bytes, struct virt_range *ret_block)
{
    return is_of_whole_pages(base, size_bytes) &&
           virt_range_from_base_size(virt_addr(base), size_bytes, ret_block);
}

bool handoff_proof_is_covered(const struct handoff_proof *proof, struct phys_range block,
                              enum handoff_region_type type)
{
    return region_list_covers(&proof->view.regions, block, type);
}

bool handoff_proof_is_mapped(const struct handoff_proof *proof, struct virt_addr virtual,
                             struct phys_range block, struct page_permissions permissions)
{
    return page_table_prove(&proof->tables, virtual, block.start, phys_range_size_bytes(block),
                            permissions) == PAGE_TABLE_OK;
}

struct virt_addr handoff_proof_direct_map(const struct handoff_proof *proof,
                                          struct phys_addr address)
{
    return virt_addr_add(proof->state->direct_map_base, address.value);
}

bool handoff_proof_is_in_direct_map(const struct handoff_proof *proof, struct phys_range block)
{
    static const struct page_permissions READ_WRITE = {.write = true};
    return handoff_proof_is_mapped(proof, handoff_proof_direct_map(proof, block.start), block,
                                   READ_WRITE);
}
