/*
 * handoff_ownership.c - what the loader placed: is it what the kernel finds, and does nobody else
 * get it?
 *
 * A block that the structure makes too small, or puts elsewhere, has the rest of its memory in a
 * region that the kernel takes for free. So each block is held against what the CPU and the linker
 * say, not against the regions only.
 */
#include "kernel/handoff/handoff_proof.h"
#include "shared/region.h"

/* --- The kernel's image ----------------------------------------------------------------------- */

static bool segments_are_mapped(const struct handoff_proof *proof)
{
    const struct entry_state *state = proof->state;
    for (size_t i = 0; i < state->segment_count; i++) {
        const struct kernel_segment *segment = &state->segments[i];
        uint64_t offset = segment->virtual.start.value - state->image.start;
        struct page_permissions permissions = {.write = segment->write,
                                               .execute = segment->execute};
        if (!virt_range_is_empty(segment->virtual) &&
            !handoff_proof_is_mapped(proof, segment->virtual.start.value,
                                     proof->handoff->kernel_physical_base + offset,
                                     virt_range_size_bytes(segment->virtual), permissions))
            return false;
    }
    return true;
}

static enum handoff_check_status check_image(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    const struct entry_state *state = proof->state;
    if (handoff->kernel_virtual_base != state->image.start)
        return HANDOFF_CHECK_KERNEL_BASE;
    if (handoff->kernel_size_bytes != range_size_bytes(state->image))
        return HANDOFF_CHECK_KERNEL_SIZE;
    if (handoff->kernel_entry != state->entry)
        return HANDOFF_CHECK_KERNEL_ENTRY;
    if (!handoff_proof_is_covered(proof, handoff->kernel_physical_base, handoff->kernel_size_bytes,
                                  HANDOFF_REGION_KERNEL_IMAGE))
        return HANDOFF_CHECK_KERNEL_IMAGE;
    if (!segments_are_mapped(proof))
        return HANDOFF_CHECK_KERNEL_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}

/* --- The stack -------------------------------------------------------------------------------- */

/* In the upper half, with room for a page below it. */
static bool stack_is_placed(const struct handoff *handoff)
{
    uint64_t base = handoff->stack_virtual_base;
    return base >> 63 != 0 && handoff_proof_is_block(base, handoff->stack_size_bytes) &&
           (base - PAGE_SIZE_BYTES) >> 63 != 0;
}

/* An overflow must fault, not write over what lies below. */
static bool page_below_is_mapped(const struct handoff_proof *proof)
{
    struct virt_addr below = virt_addr(proof->handoff->stack_virtual_base - PAGE_SIZE_BYTES);
    enum page_table_status status = page_table_prove(&proof->tables, below, phys_addr(0),
                                                     PAGE_SIZE_BYTES, (struct page_permissions){0});
    return status != PAGE_TABLE_NOT_MAPPED && status != PAGE_TABLE_NON_CANONICAL;
}

static enum handoff_check_status check_stack(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    static const struct page_permissions READ_WRITE = {.write = true};
    uint64_t pointer = proof->state->stack_pointer.value;
    if (!stack_is_placed(handoff) ||
        !handoff_proof_is_covered(proof, handoff->stack_physical_base, handoff->stack_size_bytes,
                                  HANDOFF_REGION_STACK))
        return HANDOFF_CHECK_STACK;
    if (pointer < handoff->stack_virtual_base ||
        pointer - handoff->stack_virtual_base >= handoff->stack_size_bytes)
        return HANDOFF_CHECK_STACK_POINTER;
    if (!handoff_proof_is_mapped(proof, handoff->stack_virtual_base, handoff->stack_physical_base,
                                 handoff->stack_size_bytes, READ_WRITE))
        return HANDOFF_CHECK_STACK_NOT_MAPPED;
    if (page_below_is_mapped(proof))
        return HANDOFF_CHECK_STACK_GUARD;
    return HANDOFF_CHECK_OK;
}

/* --- The loader ------------------------------------------------------------------------------- */

/* The CPU uses these tables until the kernel has its own. */
static bool loader_has_descriptor_tables(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    struct range loader = {handoff->loader_virtual_base,
                           handoff->loader_virtual_base + handoff->loader_size_bytes};
    for (size_t i = 0; i < ENTRY_DESCRIPTOR_TABLE_COUNT; i++) {
        if (!range_contains(loader, proof->state->descriptor_tables[i]))
            return false;
    }
    return true;
}

/* Firmware that loads the loader below 1 MiB leaves it in low memory, which is given to nobody. */
static bool loader_is_owned(const struct handoff_proof *proof)
{
    uint64_t base = proof->handoff->loader_physical_base;
    uint64_t size_bytes = proof->handoff->loader_size_bytes;
    return handoff_proof_is_covered(proof, base, size_bytes, HANDOFF_REGION_LOADER) ||
           handoff_proof_is_covered(proof, base, size_bytes, HANDOFF_REGION_LOW_MEMORY);
}

static enum handoff_check_status check_loader(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    if (!loader_is_owned(proof) ||
        !handoff_proof_is_block(handoff->loader_virtual_base, handoff->loader_size_bytes) ||
        handoff->loader_virtual_base >> 63 == 0)
        return HANDOFF_CHECK_LOADER;
    return loader_has_descriptor_tables(proof) ? HANDOFF_CHECK_OK : HANDOFF_CHECK_DESCRIPTOR_TABLES;
}

/* --- The page for starting processors --------------------------------------------------------- */

/* A processor begins in real mode, at the start of a page that it can name in one byte. */
#define REAL_MODE_LIMIT_ADDRESS (UINT64_C(1) << 20)

/* Firmware may have had none. */
static bool processor_start_is_sound(const struct handoff_proof *proof)
{
    uint64_t base = proof->handoff->processor_start_base;
    uint64_t size_bytes = proof->handoff->processor_start_size_bytes;
    if (base == 0 || size_bytes == 0)
        return base == size_bytes;
    return handoff_proof_is_covered(proof, base, size_bytes, HANDOFF_REGION_PROCESSOR_START) &&
           base + size_bytes <= REAL_MODE_LIMIT_ADDRESS;
}

/* --- All of it -------------------------------------------------------------------------------- */

static uint64_t bytes_of_type(const struct region_list *regions, uint32_t type)
{
    uint64_t sum_bytes = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        if (region_list_at(regions, i)->type == type)
            sum_bytes += phys_range_size_bytes(region_list_range(regions, i));
    }
    return sum_bytes;
}

/* Regions of these types are found in their block and nowhere else. The block is known to be
 * covered by them, so their sizes decide. */
static bool has_stray_region(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    const struct {
        enum handoff_region_type type;
        uint64_t block_size_bytes;
    } blocks[] = {
        {HANDOFF_REGION_STACK, handoff->stack_size_bytes},
        {HANDOFF_REGION_PAGE_TABLES, handoff->page_tables_size_bytes},
        {HANDOFF_REGION_HANDOFF_DATA, handoff->data_size_bytes},
        {HANDOFF_REGION_KERNEL_IMAGE, handoff->kernel_size_bytes},
        {HANDOFF_REGION_PROCESSOR_START, handoff->processor_start_size_bytes},
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (bytes_of_type(&proof->view.regions, blocks[i].type) > blocks[i].block_size_bytes)
            return true;
    }
    return false;
}

enum handoff_check_status handoff_proof_of_ownership(const struct handoff_proof *proof)
{
    const struct handoff *handoff = proof->handoff;
    enum handoff_check_status status = check_image(proof);
    if (status == HANDOFF_CHECK_OK)
        status = check_stack(proof);
    if (status == HANDOFF_CHECK_OK &&
        !handoff_proof_is_covered(proof, handoff->page_tables_base, handoff->page_tables_size_bytes,
                                  HANDOFF_REGION_PAGE_TABLES))
        status = HANDOFF_CHECK_PAGE_TABLES_REGION;
    if (status == HANDOFF_CHECK_OK)
        status = check_loader(proof);
    if (status == HANDOFF_CHECK_OK && !processor_start_is_sound(proof))
        status = HANDOFF_CHECK_PROCESSOR_START;
    if (status == HANDOFF_CHECK_OK && has_stray_region(proof))
        status = HANDOFF_CHECK_STRAY_REGION;
    return status;
}
