/*
 * power.h - off by EFI runtime services (UEFI 2.10, section 8.5.1 "ResetSystem()").
 */
#ifndef KERNEL_POWER_H
#define KERNEL_POWER_H

#include "shared/address.h"

/* Switch the machine off through the firmware's ResetSystem(EfiResetShutdown).
 *   runtime_root      tables under which the firmware's regions are identity-mapped
 *                     (kernel/mm/runtime_space.h)
 *   efi_system_table  physical address of the EFI system table, mapped in the direct map
 * Panics with PANIC_POWER_OFF when the system table is not one, or the call comes back. */
_Noreturn void power_off(struct phys_addr runtime_root, struct phys_addr efi_system_table);

#endif
