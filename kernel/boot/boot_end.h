/*
 * boot_end.h - the end of the boot, behind [ready]: power off, or stay and take keys.
 */
#ifndef KERNEL_BOOT_BOOT_END_H
#define KERNEL_BOOT_BOOT_END_H

#include "kernel/kernel.h"

/* Switch the machine off through the firmware. Panic if that fails. */
_Noreturn void boot_end_power_off(struct kernel *kernel);

/* Map the timer for boot_end_stay(), so that a map that is printed before it stays true. */
void boot_end_prepare(struct kernel *kernel);

/* Stay, print the list of keys (kernel/boot/ready_keys.h), and act on them. If the CPU has a timer,
 * it sleeps between two polls of the keys. */
_Noreturn void boot_end_stay(struct kernel *kernel);

#endif
