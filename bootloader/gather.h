/*
 * gather.h - ask the firmware and the CPU for what the kernel has to know of them.
 */
#ifndef BOOTLOADER_GATHER_H
#define BOOTLOADER_GATHER_H

#include "bootloader/loader.h"

/* What is absent is zero: nothing here fails. */
void gather_facts(struct loader *loader);

#endif
