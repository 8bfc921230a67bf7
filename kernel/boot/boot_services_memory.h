/*
 * boot_services_memory.h - the memory of the firmware's boot services, for a late ResetSystem. For
 * kernel/boot/ only.
 *
 * The handoff gives this memory to the kernel at entry. Some firmware uses it in ResetSystem, the
 * only runtime service that this kernel calls. The kernel calls it where ACPI does not switch the
 * machine off (kernel/core/power.h). docs/DESIGN.md, section 9, has the alternatives.
 */
#ifndef KERNEL_BOOT_BOOT_SERVICES_MEMORY_H
#define KERNEL_BOOT_BOOT_SERVICES_MEMORY_H

#include "kernel/kernel.h"

/* Decide whether the memory stays with the firmware, and log its size if it does. It stays where
 * the ACPI tables name no way to switch the machine off. `boot_services=keep` and `=reuse` on the
 * command line decide otherwise. It never stays if it is more than half of the RAM.
 * Preconditions: kernel->view has the kernel's own copy of the regions, which is changed;
 * the frame allocator was not started. */
void boot_services_memory_choose(struct kernel *kernel);

#endif
