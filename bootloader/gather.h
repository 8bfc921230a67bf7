/*
 * gather.h - ask the firmware and the CPU for the facts that the kernel needs.
 */
#ifndef BOOTLOADER_GATHER_H
#define BOOTLOADER_GATHER_H

#include "bootloader/loader.h"

/* Nothing here fails: an absent fact is zero. */
void gather_facts(struct loader *loader);

#endif
