#include "kernel/mm/paging/runtime_space.h"

#include "shared/region.h"

/* UEFI 2.10, sections 7.2.1 and 7.2.3. The firmware's own type counts, since a row that is not
 * write-back is handed over as reserved. */
#define EFI_BOOT_SERVICES_CODE    3
#define EFI_BOOT_SERVICES_DATA    4
#define EFI_RUNTIME_SERVICES_CODE 5
#define EFI_RUNTIME_SERVICES_DATA 6
#define EFI_MEMORY_RUNTIME        (UINT64_C(1) << 63)

/* The memory of boot services that nobody has reused. Faulty firmware uses it here, too. */
static bool is_kept(const struct handoff_region *region)
{
    return (region->efi_type == EFI_BOOT_SERVICES_CODE ||
            region->efi_type == EFI_BOOT_SERVICES_DATA) &&
           region_reuse(region) == HANDOFF_REUSE_NEVER;
}

static bool is_needed(const struct handoff_region *region)
{
    return region->efi_type == EFI_RUNTIME_SERVICES_CODE ||
           region->efi_type == EFI_RUNTIME_SERVICES_DATA ||
           (region->attributes & EFI_MEMORY_RUNTIME) != 0 || is_kept(region);
}

static struct page_permissions permissions_for(const struct handoff_region *region)
{
    return (struct page_permissions){
        .write = true,
        .execute = region->efi_type == EFI_RUNTIME_SERVICES_CODE ||
                   region->efi_type == EFI_BOOT_SERVICES_CODE,
        .memory_type = region_is_ram(region) ? PAGE_MEMORY_WRITE_BACK : PAGE_MEMORY_UNCACHED,
    };
}

static enum page_table_status map_region(struct runtime_space *space,
                                         const struct handoff_region *region)
{
    struct phys_range range = phys_range(region->base, region->base + region->size_bytes);
    if (range.start.value == 0)
        range.start = phys_addr(PAGE_SIZE_BYTES);
    if (phys_range_is_empty(range))
        return PAGE_TABLE_OK;
    uint64_t size_bytes = phys_range_size_bytes(range);
    space->mapped_bytes += size_bytes;
    return page_table_map(&space->table, virt_addr(range.start.value), range.start, size_bytes,
                          permissions_for(region), true);
}

enum page_table_status runtime_space_build(struct runtime_space *ret_space,
                                           const struct address_space *kernel,
                                           const struct handoff_region *regions,
                                           size_t region_count)
{
    struct runtime_space space = {0};
    enum page_table_status status =
        page_table_create(&kernel->table.features, &kernel->table.memory, &space.table);
    if (status != PAGE_TABLE_OK)
        return status;

    space.table.allow_writable_executable = true;
    for (size_t i = 0; i < region_count && status == PAGE_TABLE_OK; i++) {
        if (is_needed(&regions[i]))
            status = map_region(&space, &regions[i]);
    }
    if (status != PAGE_TABLE_OK) {
        page_table_destroy(&space.table);
        return status;
    }
    page_table_borrow_upper_half(&space.table, &kernel->table);
    *ret_space = space;
    return PAGE_TABLE_OK;
}
