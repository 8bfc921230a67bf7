/*
 * handoff_note.h - the notes in a kernel's ELF file: its abilities and demands.
 *
 * The loader reads them before it loads the kernel. If it cannot meet a demand, it stops with a
 * sentence that names the demand. A kernel without notes gets the defaults of docs/HANDOFF.md,
 * "Notes". One line in a C file of the kernel makes a note:
 *
 *   HANDOFF_NOTE(HANDOFF_NOTE_LEVELS, HANDOFF_LEVELS_FOUR);
 *
 * The note is in the section .note.handoff. Linkers put such sections into a PT_NOTE segment. A
 * linker script with PHDRS has to name it:
 *
 *   PHDRS { … note PT_NOTE FLAGS(4); }
 *   .note.handoff : { KEEP(*(.note.handoff)) } :rodata :note
 *
 * Any kernel can use this header. It needs one header of the compiler, and __attribute__ as GCC and
 * clang have it for the macro.
 */
#ifndef HANDOFF_NOTE_H
#define HANDOFF_NOTE_H

#include <stdint.h>

/* The owner's name: seven letters and a NUL. Notes of other owners are ignored. */
#define HANDOFF_NOTE_OWNER            "Handoff"
#define HANDOFF_NOTE_OWNER_SIZE_BYTES 8
/* The value of every type below is one 64-bit number. */
#define HANDOFF_NOTE_VALUE_SIZE_BYTES 8

/* The type of a note. A loader ignores a type that it does not know. Each type stands there at most
 * once. */
enum handoff_note_type {
    /* The version of the handoff that the kernel reads: HANDOFF_NOTE_VERSION_VALUE(). The loader
     * refuses another major version, and a newer minor version than its own. */
    HANDOFF_NOTE_VERSION = 1,
    /* The numbers of levels of page tables that the kernel supports: HANDOFF_LEVELS_* */
    HANDOFF_NOTE_LEVELS = 2,
    /* The smallest size of the stack at entry, in bytes. */
    HANDOFF_NOTE_STACK = 3,
    /* The kernel has room for a direct map of physical addresses below this one. RAM at or above it
     * becomes reserved. */
    HANDOFF_NOTE_DIRECT_MAP_LIMIT = 4,
    /* Things without which the kernel cannot run: HANDOFF_NEEDS_*. The loader refuses a bit that it
     * does not know. */
    HANDOFF_NOTE_NEEDS = 5,
    /* The checksum of the loaded bytes, or 0. The source has 0. scripts/kernel-checksum.py writes the
     * number into the finished file. The loader refuses a kernel whose bytes have another one. */
    HANDOFF_NOTE_CHECKSUM = 6,
};

#define HANDOFF_NOTE_VERSION_VALUE(major, minor) ((uint64_t)(minor) << 16 | (uint64_t)(major))

#define HANDOFF_LEVELS_FOUR UINT64_C(0x10)
#define HANDOFF_LEVELS_FIVE UINT64_C(0x20)

#define HANDOFF_NEEDS_SCREEN     UINT64_C(1) /* a linear framebuffer */
#define HANDOFF_NEEDS_NO_EXECUTE UINT64_C(2) /* a CPU with no-execute pages */

/* A note as it stands in the file (System V gABI, "Note Section"). The value is two numbers, since
 * notes are aligned to four bytes. */
struct handoff_note {
    uint32_t name_size_bytes;
    uint32_t value_size_bytes;
    uint32_t type;
    char name[HANDOFF_NOTE_OWNER_SIZE_BYTES];
    uint32_t value_low;
    uint32_t value_high;
};

/* Make a note. `kind` is a name from enum handoff_note_type. It is a declaration at file scope. */
#define HANDOFF_NOTE(kind, value)                                                                  \
    __attribute__((section(".note.handoff"), used,                                                 \
                   aligned(4))) static const struct handoff_note note_of_##kind = {                \
        HANDOFF_NOTE_OWNER_SIZE_BYTES,                                                             \
        HANDOFF_NOTE_VALUE_SIZE_BYTES,                                                             \
        (uint32_t)(kind),                                                                          \
        HANDOFF_NOTE_OWNER,                                                                        \
        (uint32_t)((uint64_t)(value)),                                                             \
        (uint32_t)((uint64_t)(value) >> 32),                                                       \
    }

#endif
