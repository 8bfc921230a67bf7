/*
 * boot_end.h - the end of the boot, after [ready]: power off, or stay and take keys.
 */
#ifndef KERNEL_BOOT_BOOT_END_H
#define KERNEL_BOOT_BOOT_END_H

#include "kernel/kernel.h"

/* Map the timer for boot_end(), so that a map that is printed before it stays true. */
void boot_end_prepare(struct kernel *kernel);

/* Run the commands of the word `run=`. Then switch off if `once`, or else stay, and let a person use
 * the monitor (kernel/diagnostics/monitor/). If the CPU has a timer, it sleeps while no key is typed.
 * Panic if the machine cannot be switched off. */
_Noreturn void boot_end(struct kernel *kernel, bool once);

#endif
