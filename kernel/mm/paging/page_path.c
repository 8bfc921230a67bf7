#include "kernel/mm/paging/page_path.h"

#include "shared/page_entry.h"

static void describe(struct page_step *step)
{
    step->is_leaf = page_entry_is_leaf(step->entry, step->level);
    step->target = page_entry_address(step->entry, step->level);
    step->write = page_entry_allows_write(step->entry, step->level);
    step->execute = page_entry_allows_execute(step->entry, step->level);
    step->user = page_entry_allows_user(step->entry, step->level);
    if (step->is_leaf)
        step->permissions = page_entry_permissions(step->entry, step->level);
}

size_t page_path_find(const struct page_table *table, struct virt_addr address,
                      struct page_step ret_steps[PAGE_PATH_LIMIT])
{
    bool is_upper = page_entry_has_two_roots() && address.value >> 63 != 0;
    struct phys_addr page = is_upper ? table->upper_root : table->root;
    size_t count = 0;
    if (!page_table_is_canonical(table->features.levels, address))
        return 0;
    for (unsigned level = table->features.levels; count < PAGE_PATH_LIMIT; level--) {
        struct page_step step = {.level = level, .index = page_entry_index(address, level)};
        step.table = page;
        step.entry = table->memory.access_table(table->memory.context, page)[step.index];
        step.is_present = page_entry_is_present(step.entry);
        if (step.is_present)
            describe(&step);
        ret_steps[count++] = step;
        if (!step.is_present || step.is_leaf)
            break;
        page = step.target;
    }
    return count;
}
