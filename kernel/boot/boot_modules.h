/*
 * boot_modules.h - the modules: this kernel names them in its log, and does not use them.
 */
#ifndef KERNEL_BOOT_BOOT_MODULES_H
#define KERNEL_BOOT_BOOT_MODULES_H

#include "kernel/kernel.h"

/* Log a line for each module. Precondition: the handoff data was not given back. */
void boot_modules_print(const struct kernel *kernel);

/* Give their frames back, and log the number if there are modules. */
void boot_modules_give_back(struct kernel *kernel);

#endif
