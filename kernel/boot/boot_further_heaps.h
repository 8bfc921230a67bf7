/*
 * boot_further_heaps.h - the temporary heaps that the kernel does not use.
 */
#ifndef KERNEL_BOOT_BOOT_FURTHER_HEAPS_H
#define KERNEL_BOOT_BOOT_FURTHER_HEAPS_H

#include "kernel/kernel.h"

/* Give back every temporary heap, except the one that the early heap used. Return the number of
 * frames that became free. */
uint64_t boot_further_heaps_give_back(struct kernel *kernel);

#endif
