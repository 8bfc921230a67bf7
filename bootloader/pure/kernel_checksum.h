/*
 * kernel_checksum.h - the checksum of a loaded kernel (docs/HANDOFF.md, "The checksum of a kernel").
 *
 * Some firmware calls a read successful although the bytes are wrong. A kernel can have the checksum
 * of its own bytes in a note (HANDOFF_NOTE_CHECKSUM). scripts/kernel-checksum.py writes it there.
 *
 * The checksum takes eight bytes with one multiplication. Each step is reversible. So a difference
 * in only one of the words always changes the result.
 *
 * Pure. Fuzzed by tests/fuzz/fuzz_elf.c.
 */
#ifndef BOOTLOADER_PURE_KERNEL_CHECKSUM_H
#define BOOTLOADER_PURE_KERNEL_CHECKSUM_H

#include <stdint.h>

#include "bootloader/pure/elf.h"

/* Return the checksum of a loaded image. It is never 0. `note_offset` is the place of the note's
 * value in the file: these eight bytes count as zeros, where a segment has them. While the function
 * runs they are zero in the image, too. */
uint64_t kernel_checksum(const struct elf_plan *plan, void *image, uint64_t note_offset);

#endif
