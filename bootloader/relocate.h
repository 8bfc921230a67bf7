/*
 * relocate.h - give a static PIE its address, and relocate it.
 */
#ifndef BOOTLOADER_RELOCATE_H
#define BOOTLOADER_RELOCATE_H

#include "bootloader/loader.h"

/* Refuse `kaslr=off` while Secure Boot is on. Call it before the kernel is read.
 * Failures: SETTING_REFUSED. */
bool relocate_check_settings(struct loader *loader);

/* Choose the address, move loader->kernel there, and relocate the image. A static executable stays
 * as it is. Precondition: the kernel is loaded. Failures: KERNEL_RELOCATION, OUT_OF_MEMORY,
 * BAD_ALLOCATION. */
bool relocate_kernel(struct loader *loader);

#endif
