/*
 * elf_note.h - read the notes of a kernel's ELF file: its demands (shared/handoff_note.h).
 *
 * Input: the bytes of PT_NOTE segments of an untrusted file. Notes of other owners, and types that
 * this version does not know, are ignored. Zeros behind the last note are padding. Everything else
 * must be exact.
 *
 * Pure: bytes in, struct out. Fuzzed by tests/fuzz/fuzz_elf_note.c.
 */
#ifndef BOOTLOADER_PURE_ELF_NOTE_H
#define BOOTLOADER_PURE_ELF_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"
#include "shared/handoff_note.h"

/* Larger segments are refused before they are read. Notes have a few hundred bytes. */
#define ELF_NOTE_LIMIT_BYTES (UINT64_C(64) * 1024)

enum elf_note_status {
    ELF_NOTE_OK = 0,
    ELF_NOTE_TOO_MANY_SEGMENTS, /* more than ELF_NOTE_SEGMENT_LIMIT */
    ELF_NOTE_OUT_OF_FILE,       /* the segment wraps or passes the end of the file */
    ELF_NOTE_TOO_LARGE,         /* the segment has more than ELF_NOTE_LIMIT_BYTES */
    ELF_NOTE_CUT,               /* a note passes the end of its segment */
    ELF_NOTE_BAD_SIZE,          /* a known type whose value does not have eight bytes */
    ELF_NOTE_REPEATED,          /* a known type for the second time */
};

/* Return the error as a constant English sentence. Never NULL. */
const char *elf_note_status_text(enum elf_note_status status);

/* The demands of a kernel. A demand that no note states has its default. */
struct kernel_demands {
    uint32_t stated; /* bit n: a note of type n */
    uint16_t version_major;
    uint16_t version_minor;
    uint64_t levels;           /* HANDOFF_LEVELS_*; default: both */
    uint64_t stack_size_bytes; /* default: 0 */
    uint64_t direct_map_limit; /* default: UINT64_MAX */
    uint64_t needs;            /* HANDOFF_NEEDS_*; default: 0 */
    uint64_t checksum;         /* kernel_checksum.h; 0, the default: the kernel has none */
    uint64_t checksum_offset;  /* the place of this number in the file */
};

/* Set the defaults: the demands of a kernel without notes. */
void kernel_demands_set_defaults(struct kernel_demands *demands);

/* Check where the segments of the plan lie, before any of them is read. */
enum elf_note_status elf_note_check_segments(const struct elf_plan *plan, uint64_t file_size_bytes)
    __attribute__((warn_unused_result));

/* Read the notes of one segment into *demands. `bytes` has segment->size_bytes bytes, and need not
 * be aligned. Precondition: elf_note_check_segments() returned ELF_NOTE_OK. On failure *demands is
 * incomplete. */
enum elf_note_status elf_note_read(const void *bytes, const struct elf_note_segment *segment,
                                   struct kernel_demands *demands)
    __attribute__((warn_unused_result));

#endif
