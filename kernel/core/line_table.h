/*
 * line_table.h - find the source line of an address of the kernel's code.
 *
 * scripts/kernel-lines.py makes the table from the debug information of a first link, and the
 * second link embeds it. Little-endian, from the start of the table:
 *
 *   16 bytes          size of the table in bytes, number of units, bytes of rows, number of files
 *   units × 8         first address of the unit, as an offset from the base of the image; where its
 *                     rows begin, as an offset from the first row; by address
 *   rows              the bits of each unit's rows, the highest bit of a byte first
 *   names             number of directories (1 byte); each directory with a NUL; then each file: the
 *                     number of its directory (1 byte), and its name with a NUL
 *
 * A unit is the code of one compiled file. Inlined functions bring lines of other files into it. A
 * row says where the code of another line begins. It consists of exponential Golomb codes, which
 * are short for small numbers (the order in brackets):
 *
 *   address   difference from the row before (3)
 *   file      its position in the list of the unit's files, the last one used first (0). The
 *             position behind the last one means a new file: its number follows (7).
 *   line      difference from the last line of the same file (1): 2n for n >= 0, else -2n - 1
 *
 * The table has 2 bytes for each row. DWARF's own program has 7.
 *
 * Pure. It trusts no byte of the table. Fuzzed by tests/fuzz/fuzz_line_table.c.
 */
#ifndef KERNEL_CORE_LINE_TABLE_H
#define KERNEL_CORE_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of files whose lines one unit can have. */
#define LINE_TABLE_FILE_LIMIT 64

/* The texts lie in the table. */
struct source_line {
    const char *directory; /* "kernel/core"; "" for the top folder */
    const char *file;      /* "panic.c" */
    uint32_t line;
};

/* Find the line of the code at `offset_bytes` from the base of the image. An inlined function has
 * its own line. Return false, and do not write *ret_line, if the table has no line for it, or is
 * damaged. */
bool line_table_find(const void *table_bytes, size_t size_bytes, uint64_t offset_bytes,
                     struct source_line *ret_line);

#endif
