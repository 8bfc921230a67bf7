/*
 * level_switch.h - the switch between four and five levels of page tables, in both directions.
 *
 * CR4.LA57 cannot be changed while 64-bit code runs (Intel SDM Vol. 3A, 4.1.2). So the switch goes
 * through 32-bit protected mode with paging off. Its code and a top-level table lie below 4 GiB, at
 * addresses that are the same with and without paging.
 *
 *   page 0   the data of the code (struct below), then the code (level_switch.S)
 *   page 1   the top-level table that is loaded after the change
 *
 * The switch tables have the levels that are in force before the change. They map the loader's
 * image and page 0 at their own addresses, and page 0 is executable, even if the firmware's tables
 * do not allow it. So no table has to map it writable and executable. Page 1 leads to the same tables:
 * towards five levels, its only entry is the root of the switch tables. Towards four levels, it is
 * a copy of the table below their root.
 */
#ifndef BOOTLOADER_ARCH_X86_64_LEVEL_SWITCH_H
#define BOOTLOADER_ARCH_X86_64_LEVEL_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"

#define LEVEL_SWITCH_SIZE_BYTES    (2 * PAGE_SIZE_BYTES)
#define LEVEL_SWITCH_LIMIT_ADDRESS (UINT64_C(4) * 1024 * 1024 * 1024)

/* The operand of a far jump through memory: 32 bits of offset, and a selector. */
struct far_pointer {
    uint32_t offset;
    uint16_t selector;
    uint16_t unused;
};

/* The data at the start of page 0. level_switch.S has the constant parts. enter.S reads it, too. */
struct level_switch {
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
_Static_assert(offsetof(struct level_switch, state) == 0, "level_switch.S");
_Static_assert(offsetof(struct level_switch, return_address) == 8, "level_switch.S");
_Static_assert(offsetof(struct level_switch, code_32) == 16, "enter.S");
_Static_assert(offsetof(struct level_switch, code_64) == 24, "level_switch.S");
_Static_assert(offsetof(struct level_switch, top_table) == 32, "level_switch.S");
_Static_assert(offsetof(struct level_switch, gdt_limit) == 46, "enter.S");
_Static_assert(offsetof(struct level_switch, gdt_base) == 48, "LGDT");
_Static_assert(sizeof(struct level_switch) == 88, "level_switch.S");

/* Fill both pages at `block`, below 4 GiB and writable at that address.
 *   switch_root      root of the switch tables
 *   levels           the number of levels after the change
 *   state            what enter_kernel() is called with
 * Precondition: boot services have ended. Memory is readable at its physical address. */
void level_switch_prepare(struct phys_addr block, struct phys_addr switch_root, unsigned levels,
                          const void *state);

#endif
