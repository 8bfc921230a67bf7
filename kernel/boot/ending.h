/*
 * ending.h - what comes behind [ready]: the machine goes off, or the kernel stays and takes keys.
 */
#ifndef KERNEL_BOOT_ENDING_H
#define KERNEL_BOOT_ENDING_H

#include "kernel/kernel.h"

/* Switch the machine off through the firmware. Panics where that cannot be done. */
_Noreturn void ending_power_off(struct kernel *kernel);

/* Map what ending_stay() needs, so that what print-map then prints stays true. */
void ending_prepare(struct kernel *kernel);

/* Stay, say which keys there are (kernel/boot/ready_keys.h), and do what they ask for. The CPU
 * sleeps between two looks for a key, if it has a timer. */
_Noreturn void ending_stay(struct kernel *kernel);

#endif
