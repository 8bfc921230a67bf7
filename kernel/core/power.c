#include "kernel/core/power.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "shared/memory.h"
#include "shared/region.h"

/* UEFI 2.10, 4.2 and 4.3: signatures and offsets in the 64-bit tables. */
#define EFI_SYSTEM_TABLE_SIGNATURE        UINT64_C(0x5453595320494249)
#define EFI_RUNTIME_SERVICES_SIGNATURE    UINT64_C(0x56524553544e5552)
#define EFI_SYSTEM_TABLE_RUNTIME_SERVICES 88
#define EFI_RUNTIME_SERVICES_RESET_SYSTEM 104
#define EFI_SYSTEM_TABLE_SIZE_BYTES       120
#define EFI_RUNTIME_SERVICES_SIZE_BYTES   136
#define EFI_RESET_SHUTDOWN                2

static uint64_t read_word(struct virt_addr table, uint64_t offset_bytes)
{
    uint64_t value;
    memcpy(&value, (const void *)(table.value + offset_bytes), sizeof value);
    return value;
}

/* Return the table's virtual address. Panic unless `size_bytes` of RAM at `table` begin with the
 * signature. */
static struct virt_addr require_table(const char *name, struct virt_addr direct_map_base,
                                      struct phys_addr table, uint64_t size_bytes,
                                      uint64_t signature, const struct region_list *regions)
{
    struct phys_range range;
    struct virt_addr virtual = virt_addr_add(direct_map_base, table.value);
    if (!phys_range_from_base_size(table, size_bytes, &range) ||
        !region_list_is_ram(regions, range))
        panic(PANIC_POWER_OFF, "%s at 0x%llx: not in RAM", name, (unsigned long long)table.value);
    if (read_word(virtual, 0) != signature)
        panic(PANIC_POWER_OFF, "%s at 0x%llx: wrong signature", name,
              (unsigned long long)table.value);
    return virtual;
}

static _Noreturn void reset_system(struct phys_addr runtime_root, struct virt_addr direct_map_base,
                                   struct phys_addr efi_system_table,
                                   const struct region_list *regions)
{
    struct virt_addr system_table =
        require_table("the EFI system table", direct_map_base, efi_system_table,
                      EFI_SYSTEM_TABLE_SIZE_BYTES, EFI_SYSTEM_TABLE_SIGNATURE, regions);
    struct virt_addr services =
        require_table("the EFI runtime services", direct_map_base,
                      phys_addr(read_word(system_table, EFI_SYSTEM_TABLE_RUNTIME_SERVICES)),
                      EFI_RUNTIME_SERVICES_SIZE_BYTES, EFI_RUNTIME_SERVICES_SIGNATURE, regions);

    uint64_t reset_system = read_word(services, EFI_RUNTIME_SERVICES_RESET_SYSTEM);
    uint64_t status =
        arch_call_runtime_service(runtime_root, reset_system, EFI_RESET_SHUTDOWN, 0, 0, 0);
    panic(PANIC_POWER_OFF, "ResetSystem returned EFI status 0x%llx", (unsigned long long)status);
}

/* The kernel has not reused it (kernel/boot/boot_services_memory.h). */
static bool keeps_boot_services(const struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        const struct handoff_region *region = region_list_at(regions, i);
        if (region->type == HANDOFF_REGION_BOOT_SERVICES &&
            region_reuse(region) != HANDOFF_REUSE_NEVER)
            return false;
    }
    return true;
}

_Noreturn void power_off(struct phys_addr runtime_root, const struct power_tables *tables,
                         struct virt_addr direct_map_base, struct phys_addr efi_system_table,
                         const struct region_list *regions)
{
    const char *obstacle = power_acpi_off(tables, direct_map_base, regions);
    log_line("power-off", "by=firmware reason=\"%s\" boot_services=%s", obstacle,
             keeps_boot_services(regions) ? "kept" : "reused");
    reset_system(runtime_root, direct_map_base, efi_system_table, regions);
}
