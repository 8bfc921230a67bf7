/*
 * fifth_level.h - the switch from four to five levels of page tables.
 *
 * CR4.LA57 cannot be changed while 64-bit code runs (Intel SDM Vol. 3A, 4.1.2). So the switch goes
 * through 32-bit protected mode with paging off. Its code and a top-level table lie below 4 GiB, at
 * addresses that are the same with and without paging.
 *
 *   page 0   the data of the code (struct below), then the code (fifth_level.S)
 *   page 1   a top-level table of five levels, with one entry: the switch tables, four levels that
 *            map the loader's image and page 0 at their own addresses
 *
 * The switch tables are loaded first, under four levels. They make page 0 executable, whatever the
 * firmware's tables allow. So no table has to map it writable and executable.
 */
#ifndef BOOTLOADER_ARCH_X86_64_FIFTH_LEVEL_H
#define BOOTLOADER_ARCH_X86_64_FIFTH_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"

#define FIFTH_LEVEL_SIZE_BYTES    (2 * PAGE_SIZE_BYTES)
#define FIFTH_LEVEL_LIMIT_ADDRESS (UINT64_C(4) * 1024 * 1024 * 1024)

/* The operand of a far jump through memory: 32 bits of offset, and a selector. */
struct far_pointer {
    uint32_t offset;
    uint16_t selector;
    uint16_t unused;
};

/* The data at the start of page 0. fifth_level.S has the constant parts. enter.S reads it, too. */
struct fifth_level {
    uint64_t state; /* struct enter_state, for enter_kernel() to find again */
    uint64_t return_address;
    struct far_pointer code_32;
    struct far_pointer code_64;
    uint32_t top_table; /* page 1 */
    uint32_t unused;
    uint16_t unused_limit[3];
    uint16_t gdt_limit; /* with the next field: the operand of LGDT */
    uint64_t gdt_base;
    uint64_t gdt[4]; /* the loader's GDT and a 32-bit code segment */
};
_Static_assert(offsetof(struct fifth_level, state) == 0, "fifth_level.S");
_Static_assert(offsetof(struct fifth_level, return_address) == 8, "fifth_level.S");
_Static_assert(offsetof(struct fifth_level, code_32) == 16, "enter.S");
_Static_assert(offsetof(struct fifth_level, code_64) == 24, "fifth_level.S");
_Static_assert(offsetof(struct fifth_level, top_table) == 32, "fifth_level.S");
_Static_assert(offsetof(struct fifth_level, gdt_limit) == 46, "enter.S");
_Static_assert(offsetof(struct fifth_level, gdt_base) == 48, "LGDT");
_Static_assert(sizeof(struct fifth_level) == 88, "fifth_level.S");

/* Fill both pages at `block`, below 4 GiB and writable at that address.
 *   switch_root      root of the switch tables
 *   state            what enter_kernel() is called with
 * Precondition: boot services have ended. */
void fifth_level_prepare(struct phys_addr block, struct phys_addr switch_root, const void *state);

#endif
