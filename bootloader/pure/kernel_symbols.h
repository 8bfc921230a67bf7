/*
 * kernel_symbols.h - find the symbol table of a kernel's ELF file, and check it: it is handed over
 * with symbols=on. (System V gABI, "Sections" and "Symbol Table".)
 *
 * Pure: bytes in, struct out. Fuzzed by tests/fuzz/fuzz_kernel_symbols.c.
 */
#ifndef BOOTLOADER_PURE_KERNEL_SYMBOLS_H
#define BOOTLOADER_PURE_KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"
#include "shared/handoff.h"
#include "shared/range.h"

#define KERNEL_SYMBOL_SIZE_BYTES 24 /* Elf64_Sym */

enum kernel_symbols_status {
    KERNEL_SYMBOLS_OK = 0,
    KERNEL_SYMBOLS_ABSENT,      /* no section SHT_SYMTAB */
    KERNEL_SYMBOLS_OUT_OF_FILE, /* the table or the names */
    KERNEL_SYMBOLS_BAD_SIZE,    /* of an entry; or not whole entries */
    KERNEL_SYMBOLS_BAD_LINK,    /* sh_link names no section with names */
    KERNEL_SYMBOLS_NO_END,      /* the names do not end with a NUL */
    KERNEL_SYMBOLS_BAD_NAME,    /* a symbol's name begins behind the names */
};

/* Return the error as a constant English sentence. Never NULL. */
const char *kernel_symbols_status_text(enum kernel_symbols_status status);

/* The places of the parts in the file. */
struct kernel_symbols_plan {
    uint64_t symbols_offset;
    uint64_t count; /* at least 1 */
    uint64_t strings_offset;
    uint64_t strings_size_bytes; /* at least 1 */
};

/* The parts in memory, the names directly behind the symbols. */
struct kernel_symbols {
    struct phys_range memory;
    uint64_t count; /* 0: nothing is handed over */
    uint64_t strings_size_bytes;
};

/* Return the size of the section headers; 0 if there are none, or if they are not in the file. */
uint64_t kernel_symbols_headers_size_bytes(const struct elf_plan *kernel, uint64_t file_size_bytes);

/* Find symbols and names. `headers` has the bytes of the section headers. */
enum kernel_symbols_status kernel_symbols_find(const struct elf_plan *kernel, const void *headers,
                                               uint64_t file_size_bytes,
                                               struct kernel_symbols_plan *ret_plan)
    __attribute__((warn_unused_result));

/* Check the symbols, and the names directly behind them: every name begins inside of the names, and
 * so it ends there. `bytes` need not be aligned. */
enum kernel_symbols_status kernel_symbols_check(const void *bytes,
                                                const struct kernel_symbols_plan *plan)
    __attribute__((warn_unused_result));

/* Write where they are. Without symbols, nothing is written. */
void kernel_symbols_write(const struct kernel_symbols *symbols, struct handoff_array *ret_symbols,
                          struct handoff_range *ret_strings);

#endif
