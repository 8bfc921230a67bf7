/*
 * gather.h - collect the facts that the kernel needs from the firmware and the CPU.
 */
#ifndef BOOTLOADER_GATHER_H
#define BOOTLOADER_GATHER_H

#include "bootloader/loader.h"

/* A fact that is absent is zero. No function fails. */
void gather_facts(struct loader *loader);

#endif
