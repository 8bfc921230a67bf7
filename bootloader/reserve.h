/*
 * reserve.h - reserve the memory with which the kernel begins.
 */
#ifndef BOOTLOADER_RESERVE_H
#define BOOTLOADER_RESERVE_H

#include "bootloader/loader.h"

/* Reserve the temporary heap, the first stack, and the page for starting processors. Failures:
 * OUT_OF_MEMORY (only for the stack), BAD_ALLOCATION. */
bool reserve_memory(struct loader *loader);

/* Reserve the handoff block, and convert a first memory map in it.
 * Failures: MEMORY_MAP, OUT_OF_MEMORY, BAD_ALLOCATION, UNUSABLE_BLOCK. */
bool reserve_handoff(struct loader *loader);

#endif
