#include "bootloader/tables.h"

#include "bootloader/pure/bootstrap_tables.h"
#include "shared/address.h"
#include "shared/direct_map.h"

/* Table pages in addition to the bound for the first map. The map that ExitBootServices() accepts
 * may have a few more unaligned ends. */
#define SLACK_PAGES 16

static struct bootstrap_plan plan_of(const struct loader *loader)
{
    return (struct bootstrap_plan){
        .kernel = &loader->kernel,
        .placement = &loader->placement,
        .regions = loader->block.room.regions,
        .region_count = loader->block.region_count,
        .trampoline_levels = loader->firmware_levels,
    };
}

bool tables_reserve(struct loader *loader)
{
    struct bootstrap_plan plan = plan_of(loader);
    uint64_t page_count = bootstrap_tables_bound(&plan, &loader->features) + SLACK_PAGES;
    return pages_allocate(&loader->pages, page_count * PAGE_SIZE_BYTES, HANDOFF_REGION_PAGE_TABLES,
                          &loader->placement.page_tables) == LOADER_OK;
}

/* The tables of the trampoline. */
static enum page_table_status build_trampoline(struct loader *loader,
                                               const struct bootstrap_plan *plan,
                                               const struct page_table_memory *memory)
{
    struct page_table_features features = loader->features;
    struct page_table table;
    features.levels = plan->trampoline_levels;
    enum page_table_status status = page_table_create(&features, memory, &table);
    if (status == PAGE_TABLE_OK)
        status = bootstrap_tables_build_switch(plan, &table);
    if (status == PAGE_TABLE_OK)
        loader->trampoline_root = table.root;
    return status;
}

bool tables_build(struct loader *loader)
{
    struct bootstrap_plan plan = plan_of(loader);
    loader->table_pool = (struct table_pool){.memory = &loader->placement.page_tables};
    struct page_table_memory memory = table_pool_memory(&loader->table_pool);
    enum page_table_status status = page_table_create(&loader->features, &memory, &loader->tables);
    if (status == PAGE_TABLE_OK)
        status = bootstrap_tables_build(&plan, &loader->tables, &loader->direct_map_size_bytes);
    if (status == PAGE_TABLE_OK && !phys_range_is_empty(loader->placement.trampoline))
        status = build_trampoline(loader, &plan, &memory);
    if (status != PAGE_TABLE_OK) {
        error_set(LOADER_ERROR_PAGE_TABLES, EFI_SUCCESS, "%s; %llu of %llu KiB",
                  page_table_status_name(status), loader->table_pool.used_bytes / KIB,
                  phys_range_size_bytes(loader->placement.page_tables) / KIB);
        return false;
    }
    loader->post_exit.direct_map_base = direct_map_base(loader->features.levels).value;
    loader->post_exit.page_table_root = loader->tables.root;
    return true;
}
