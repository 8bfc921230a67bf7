/*
 * reserve.h - memory from the firmware that the kernel begins with.
 */
#ifndef BOOTLOADER_RESERVE_H
#define BOOTLOADER_RESERVE_H

#include "bootloader/loader.h"

/* The temporary heap, the first stack, the page for starting processors.
 * Failures: OUT_OF_MEMORY (only for the stack), BAD_ALLOCATION. */
bool reserve_memory(struct loader *loader);

/* The block of the handoff, with a first memory map converted in it.
 * Failures: MEMORY_MAP, OUT_OF_MEMORY, BAD_ALLOCATION, UNUSABLE_BLOCK. */
bool reserve_handoff(struct loader *loader);

#endif
