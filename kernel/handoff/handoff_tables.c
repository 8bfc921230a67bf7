#include "kernel/handoff/handoff_tables.h"

#include "kernel/arch.h"
#include "shared/direct_map.h"

bool handoff_tables_reachable_block(const struct handoff *handoff, uint64_t base,
                                    uint64_t size_bytes, struct phys_range *ret_block)
{
    struct phys_range block;
    if (!handoff_validation_block(base, size_bytes, &block) ||
        block.end.value > handoff->direct_map_size_bytes)
        return false;
    *ret_block = block;
    return true;
}

static bool direct_map_agrees(const struct handoff *handoff, const struct entry_state *state)
{
    return handoff->direct_map_base == state->direct_map_base.value &&
           handoff->direct_map_size_bytes <= direct_map_limit(state->features.levels).value;
}

static bool root_agrees(struct phys_addr root, const struct entry_state *state)
{
    return page_is_aligned(root.value) && root.value >> state->features.physical_bits == 0 &&
           root.value == state->page_table_root.value;
}

/* The callback has no `const`; nothing is written. */
static uint64_t *access_table(void *context, struct phys_addr table)
{
    const struct handoff_validation *validation = context;
    struct phys_range page = phys_range(table.value, table.value + PAGE_SIZE_BYTES);
    if (!phys_range_contains(validation->table_block, page))
        return NULL;
    return (uint64_t *)(validation->state->memory_base + table.value);
}

/* After this, the tables in force can be read. */
static void use_tables(struct handoff_validation *validation)
{
    validation->tables = (struct page_table){
        .root = validation->state->page_table_root,
        .upper_root = validation->state->page_table_root,
        .features = validation->state->features,
        .memory = {.context = validation, .access_table = access_table},
    };
}

enum handoff_check_status handoff_tables_check(struct handoff_validation *validation)
{
    const struct handoff *handoff = validation->handoff;
    const struct entry_state *state = validation->state;
    struct phys_addr root = arch_handoff_page_table_root(handoff);
    if (!direct_map_agrees(handoff, state))
        return HANDOFF_CHECK_DIRECT_MAP;
    if (!arch_handoff_features_agree(handoff, &state->features))
        return HANDOFF_CHECK_FLAGS;
    if (!root_agrees(root, state))
        return HANDOFF_CHECK_PAGE_TABLE_ROOT;
    if (!handoff_tables_reachable_block(handoff, handoff->page_tables_base,
                                        handoff->page_tables_size_bytes,
                                        &validation->table_block) ||
        !phys_range_contains_address(validation->table_block, root))
        return HANDOFF_CHECK_PAGE_TABLES;
    use_tables(validation);
    if (!handoff_validation_is_in_direct_map(validation, validation->table_block))
        return HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED;
    return HANDOFF_CHECK_OK;
}
