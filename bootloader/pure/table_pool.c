#include "bootloader/pure/table_pool.h"

static bool table_pool_allocate(void *context, struct phys_addr *ret_table)
{
    struct table_pool *pool = context;
    if (phys_range_size_bytes(*pool->memory) - pool->used_bytes < PAGE_SIZE_BYTES)
        return false;
    *ret_table = phys_addr_add(pool->memory->start, pool->used_bytes);
    pool->used_bytes += PAGE_SIZE_BYTES;
    return true;
}

static void table_pool_free(void *context, struct phys_addr table)
{
    (void)context;
    (void)table;
}

static uint64_t *table_pool_access(void *context, struct phys_addr table)
{
    (void)context;
    return (uint64_t *)table.value;
}

struct page_table_memory table_pool_memory(struct table_pool *pool)
{
    return (struct page_table_memory){
        .context = pool,
        .allocate_table = table_pool_allocate,
        .free_table = table_pool_free,
        .access_table = table_pool_access,
        .invalidate = NULL,
    };
}
