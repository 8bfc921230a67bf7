#include "kernel/power.h"

#include "kernel/arch.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "shared/memory.h"

/* UEFI 2.10, 4.2 and 4.3: signatures and offsets in the 64-bit tables. */
#define EFI_SYSTEM_TABLE_SIGNATURE        UINT64_C(0x5453595320494249)
#define EFI_RUNTIME_SERVICES_SIGNATURE    UINT64_C(0x56524553544e5552)
#define EFI_SYSTEM_TABLE_RUNTIME_SERVICES 88
#define EFI_RUNTIME_SERVICES_RESET_SYSTEM 104
#define EFI_RESET_SHUTDOWN                2

static uint64_t read_word(struct phys_addr table, uint64_t offset_bytes)
{
    uint64_t value;
    memcpy(&value, (const void *)(LAYOUT_DIRECT_MAP_BASE + table.value + offset_bytes),
           sizeof value);
    return value;
}

_Noreturn void power_off(struct phys_addr runtime_root, struct phys_addr efi_system_table)
{
    if (read_word(efi_system_table, 0) != EFI_SYSTEM_TABLE_SIGNATURE)
        panic(PANIC_POWER_OFF, "no EFI system table at 0x%llx",
              (unsigned long long)efi_system_table.value);
    struct phys_addr services =
        phys_addr(read_word(efi_system_table, EFI_SYSTEM_TABLE_RUNTIME_SERVICES));
    if (read_word(services, 0) != EFI_RUNTIME_SERVICES_SIGNATURE)
        panic(PANIC_POWER_OFF, "no EFI runtime services at 0x%llx",
              (unsigned long long)services.value);

    uint64_t reset_system = read_word(services, EFI_RUNTIME_SERVICES_RESET_SYSTEM);
    uint64_t status =
        arch_call_runtime_service(runtime_root, reset_system, EFI_RESET_SHUTDOWN, 0, 0, 0);
    panic(PANIC_POWER_OFF, "ResetSystem came back with EFI status 0x%llx",
          (unsigned long long)status);
}
