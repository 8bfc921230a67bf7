/*
 * kernel_base.h - the address of a static PIE: the possible addresses of its image, and the move.
 *
 * A base is the address of the image's first page. All bases agree with the link address modulo the
 * image's alignment. They lie in the first GiB from ELF_LOWEST_ADDRESS on. The GiB behind stays
 * free, for code that a kernel loads later: the compiler's code model wants it near the kernel.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_KERNEL_BASE_H
#define BOOTLOADER_PURE_KERNEL_BASE_H

#include <stdint.h>

#include "bootloader/pure/elf.h"

/* The images lie below this address. If an alignment leaves no base below it, the first base is used
 * all the same: there is room behind. */
#define KERNEL_BASE_WINDOW_END (ELF_LOWEST_ADDRESS + UINT64_C(1024) * 1024 * 1024)

/* Return the number of bases, at least 1: 262,144 less the image's pages, plus 1, for an alignment
 * of 4 KiB. Precondition, here and below: elf_plan() made the plan, and it is not moved. */
uint64_t kernel_base_count(const struct elf_plan *plan);

/* Return the base with this number, from 0 on, as a slide: the distance from the link address,
 * modulo 2^64. Precondition: number < kernel_base_count(plan). */
uint64_t kernel_base_slide(const struct elf_plan *plan, uint64_t number);

/* Return the slide without randomness: 0 if the link addresses are at or above ELF_LOWEST_ADDRESS,
 * else that of the first base. */
uint64_t kernel_base_fixed_slide(const struct elf_plan *plan);

/* Choose by random bytes. */
uint64_t kernel_base_random_slide(const struct elf_plan *plan, const uint8_t random[8]);

/* Move every address of the plan by `slide`. */
void kernel_base_move(struct elf_plan *plan, uint64_t slide);

#endif
