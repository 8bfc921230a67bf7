/*
 * hand_over.h - the last two steps: write the handoff, and switch to the kernel.
 */
#ifndef BOOTLOADER_HAND_OVER_H
#define BOOTLOADER_HAND_OVER_H

#include "bootloader/loader.h"

/* Write struct handoff, with its checksum. */
void hand_over_build(struct loader *loader);

_Noreturn void hand_over_enter(struct loader *loader);

#endif
