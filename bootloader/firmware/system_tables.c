#include "bootloader/firmware/system_tables.h"

#include "bootloader/arch.h"

/* The firmware's tables are identity-mapped, as all memory is (UEFI 2.10, section 2.3.4). */
static uint64_t *access_table(void *context, struct phys_addr table)
{
    (void)context;
    return (uint64_t *)table.value;
}

/* A damaged table may point to any address, and reading unmapped memory would end the boot. So the
 * page tables, `context`, are checked first. */
static const void *read_memory(void *context, uint64_t address, uint64_t size_bytes)
{
    const struct page_table *tables = context;
    for (uint64_t offset = 0; offset < size_bytes;) {
        struct page_mapping mapping;
        if (page_table_lookup(tables, virt_addr(address + offset), &mapping) != PAGE_TABLE_OK ||
            mapping.physical.value != mapping.virtual.value)
            return NULL;
        offset = mapping.virtual.value + mapping.page_size_bytes - address;
    }
    return (const void *)address;
}

struct firmware_tables_memory system_tables_memory(void)
{
    static struct page_table live;
    live.memory.access_table = access_table;
    arch_page_features(&live.features);
    live.root = arch_page_table_root();
    return (struct firmware_tables_memory){read_memory, &live};
}

void system_tables_list(struct firmware_tables *ret_tables)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    const EFI_SYSTEM_TABLE *system_table = firmware.system_table;

    firmware_tables_initialise(ret_tables);
    firmware_tables_add_all(ret_tables, &memory, (uint64_t)system_table->ConfigurationTable,
                            system_table->NumberOfTableEntries);
    if (ret_tables->invalid_count != 0 || ret_tables->dropped_count != 0)
        console_warn("firmware tables: %u are damaged and ignored, %u do not fit into the list",
                     ret_tables->invalid_count, ret_tables->dropped_count);
}
