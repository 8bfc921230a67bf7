/*
 * power.h - switch the machine off: by ACPI's registers, or by the firmware's ResetSystem (UEFI
 * 2.10, section 8.5.1).
 *
 * ACPI comes first. A firmware that cannot switch off may restart the machine in ResetSystem,
 * and then nothing else can follow. A register that does nothing leaves time for the call.
 */
#ifndef KERNEL_CORE_POWER_H
#define KERNEL_CORE_POWER_H

#include "kernel/core/power_acpi.h"
#include "kernel/mm/region_list.h"
#include "shared/address.h"

/* Switch the machine off by ACPI, or else through the firmware's ResetSystem(EfiResetShutdown).
 *   runtime_root      tables under which the firmware's regions are identity-mapped
 *                     (kernel/mm/paging/runtime_space.h)
 *   tables            places of the ACPI tables (power_acpi_find_tables())
 *   direct_map_base   virtual address of physical address 0
 *   efi_system_table  physical address of the EFI system table: an untrusted number
 *   regions           normalised; a table outside of their RAM is not read
 *
 * Panic (PANIC_POWER_OFF) if a table is not in RAM or has a wrong signature, or if the call
 * returns. */
_Noreturn void power_off(struct phys_addr runtime_root, const struct power_tables *tables,
                         struct virt_addr direct_map_base, struct phys_addr efi_system_table,
                         const struct region_list *regions);

#endif
