/*
 * symbols.h - from an address in the kernel's text to the name of its function.
 *
 * scripts/kernel-symbols.py makes the table from a first link, and the second link embeds it:
 *
 *   16 bytes    base address, count, 0
 *   count × 8   offset of a function from the base, offset of its name from the first name; by
 *               address
 *   the names   each with a NUL
 */
#ifndef KERNEL_CORE_SYMBOLS_H
#define KERNEL_CORE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"

struct symbol {
    const char *name;      /* of the function that contains the address */
    uint64_t offset_bytes; /* of the address in it */
};

/* False, and *ret_symbol untouched, for an address outside of the kernel's text. */
bool symbols_find(struct virt_addr address, struct symbol *ret_symbol);

/* The same for a return address: the function whose call returns there. A call of a function that
 * never returns may be the last instruction of its caller, and the address behind it another
 * function's first. */
bool symbols_find_caller(struct virt_addr return_address, struct symbol *ret_symbol);

#endif
