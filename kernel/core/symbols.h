/*
 * symbols.h - find the function and the source line at an address of the kernel's code.
 *
 * scripts/kernel-symbols.py makes the table from a first link, and the second link embeds it:
 *
 *   16 bytes    link address of the image, count, 0
 *   count × 8   offset of a function from the base, offset of its name from the first name; by
 *               address
 *   the names   each with a NUL
 *
 * The line table (line_table.h) comes from the same link.
 */
#ifndef KERNEL_CORE_SYMBOLS_H
#define KERNEL_CORE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/line_table.h"
#include "shared/address.h"

struct symbol {
    const char *name;      /* of the function that contains the address */
    uint64_t offset_bytes; /* of the address in it */
};

/* Return false, and do not write *ret_symbol, for an address outside of the kernel's code. */
bool symbols_find(struct virt_addr address, struct symbol *ret_symbol);

/* The same for a return address: find the function whose call returns there. A call of a function
 * that never returns may be the last instruction of its caller. Then the return address belongs to
 * the next function. */
bool symbols_find_caller(struct virt_addr return_address, struct symbol *ret_symbol);

/* Return the distance from the kernel's link address to its address: 0 unless it is a PIE. */
uint64_t symbols_slide(void);

/* Write the place of an address: "null_write+0x12 kernel/diagnostics/provoke.c:71". The line is that
 * of an inlined function, if the code belongs to one. For a return address it is the line of the
 * call. Without a line, the text is only the function. */
void symbols_describe(struct virt_addr address, char *text, size_t capacity_bytes);
void symbols_describe_caller(struct virt_addr return_address, char *text, size_t capacity_bytes);

#endif
