/*
 * elf.h - check a kernel's whole ELF file before memory is allocated for it.
 *
 * Input: the headers of an untrusted file, and the file's size. Output: a plan of the segments and
 * their places. Every number in the plan is checked, so the code that loads the file needs no checks,
 * and can read each segment straight into its place. Accepted: ELF64, little-endian, for this
 * machine. Either ET_EXEC, statically linked into the higher half, or ET_DYN, a static PIE. The
 * loader moves the latter to another address (kernel_base.h) and relocates it (relocation.h).
 * (System V gABI, "Object Files" and "Program Loading"; catalogue group E.)
 *
 * Pure: bytes in, struct out. Fuzzed by tests/fuzz/fuzz_elf.c.
 */
#ifndef BOOTLOADER_PURE_ELF_H
#define BOOTLOADER_PURE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/range.h"

/* A kernel from a linker script has fewer loadable segments than this. */
#define ELF_SEGMENT_LIMIT 16
/* A larger file is refused before it is read. 256 MiB is many times the size of a kernel with debug
 * information. The limit catches a wrong path, for example to a disk image. */
#define ELF_FILE_LIMIT_BYTES (UINT64_C(256) * 1024 * 1024)
/* From the first byte of the lowest segment to the last of the highest. */
#define ELF_IMAGE_LIMIT_BYTES (UINT64_C(256) * 1024 * 1024)
/* The higher half of a 4-level address space. Addresses below it would collide with the identity
 * map. The loader's windows (direct map, stack; see docs/HANDOFF.md) end at ELF_LOWEST_ADDRESS. */
#define ELF_LOWEST_ADDRESS UINT64_C(0xffffffff80000000)

enum elf_status {
    ELF_OK = 0,
    ELF_TOO_SHORT, /* smaller than an ELF header: not a kernel, or truncated */
    ELF_BAD_MAGIC,
    ELF_NOT_64_BIT,
    ELF_NOT_LITTLE_ENDIAN,
    ELF_BAD_VERSION,
    ELF_OTHER_MACHINE,
    ELF_NOT_EXECUTABLE,      /* e_type is not ET_EXEC, and not ET_DYN */
    ELF_BAD_HEADER_SIZE,     /* e_ehsize or e_phentsize */
    ELF_NO_PROGRAM_HEADERS,  /* e_phnum 0 */
    ELF_TOO_MANY_HEADERS,    /* e_phnum 0xffff: extended numbering is not supported */
    ELF_HEADERS_OUT_OF_FILE, /* the table wraps or passes the end of the file */
    ELF_SEGMENT_OUT_OF_FILE, /* p_filesz > 0, and p_offset + p_filesz wraps or passes the end */
    ELF_FILE_SIZE_ABOVE_MEMORY_SIZE,
    ELF_ADDRESS_WRAPS, /* p_vaddr + p_memsz */
    ELF_IMAGE_TOO_LARGE,
    ELF_BAD_ALIGNMENT, /* p_align is not a power of two, or beyond 1 GiB */
    ELF_INCONGRUENT,   /* p_filesz > 0, and p_vaddr and p_offset differ modulo p_align */
    ELF_SEGMENTS_OVERLAP,
    ELF_PAGE_WITH_TWO_PERMISSIONS, /* two segments with different permissions share a page */
    ELF_WRITABLE_EXECUTABLE,
    ELF_LOWER_HALF,      /* ET_EXEC: below ELF_LOWEST_ADDRESS, or not canonical */
    ELF_BAD_ENTRY,       /* e_entry not inside an executable segment's bytes */
    ELF_NOTHING_TO_LOAD, /* no PT_LOAD with a size */
    ELF_TOO_MANY_SEGMENTS,
    ELF_NEEDS_INTERPRETER, /* PT_INTERP */
    ELF_NEEDS_RELOCATION,  /* PT_DYNAMIC in ET_EXEC, or for the second time in ET_DYN */
    ELF_NO_DYNAMIC,        /* ET_DYN without PT_DYNAMIC: its relocations cannot be found */
    ELF_STATUS_COUNT,
};

struct elf_segment {
    struct virt_range memory; /* need not be page-aligned; not empty */
    uint64_t file_offset;     /* 0 if there are no bytes in the file */
    uint64_t file_size_bytes; /* at most the size in memory; the rest is zero */
    bool write;
    bool execute;
    uint16_t number; /* of its program header, from 0 on, as `readelf -l` counts */
};

/* Segments with notes (PT_NOTE). A file has one, or one for each alignment. */
#define ELF_NOTE_SEGMENT_LIMIT 8

/* As the file has it: elf_note.h checks it. */
struct elf_note_segment {
    uint64_t file_offset;
    uint64_t size_bytes;
    uint64_t alignment_bytes;
};

/* Segments are sorted by address and disjoint; no page holds two permissions. */
struct elf_plan {
    bool is_relocatable;       /* ET_DYN: the addresses are those of the linker until it is moved */
    uint64_t slide;            /* from the link addresses to these, modulo 2^64; 0 for ET_EXEC */
    struct virt_range dynamic; /* of ET_DYN: the bytes of PT_DYNAMIC. relocation.h checks it */
    struct virt_addr entry;
    struct virt_range image; /* page-aligned: covers every segment */
    /* The largest p_align, a power of two from 4 KiB to 1 GiB. The image's physical address and its
     * virtual one agree modulo this number. */
    uint64_t alignment_bytes;
    unsigned segment_count; /* 1…ELF_SEGMENT_LIMIT */
    struct elf_segment segments[ELF_SEGMENT_LIMIT];
    uint64_t sections_offset; /* of the section headers, as the file has them: kernel_symbols.h */
    unsigned section_count;   /* 0 if they do not have 64 bytes each */
    unsigned note_count; /* in the file; the first ELF_NOTE_SEGMENT_LIMIT of them are in `notes` */
    struct elf_note_segment notes[ELF_NOTE_SEGMENT_LIMIT];
};

/* What breaks a rule: segments, as numbers of program headers, or the entry point. */
struct elf_culprits {
    unsigned count; /* 0 if the rule is not about a segment */
    uint16_t numbers[2];
    uint64_t entry;
};

/* The bytes at the begin of every ELF file that elf_find_table() reads. */
#define ELF_HEADER_BYTES 64

/* Where the program headers are in the file. Both values are checked: the table is in the file. */
struct elf_table {
    uint64_t offset;
    uint64_t size_bytes; /* 56 bytes for each program header; below 4 MiB */
};

/* Check the ELF header. `header` has the first ELF_HEADER_BYTES bytes of the file. They are not read
 * if the file is shorter. `machine` is the accepted e_machine (HANDOFF_MACHINE_*). On failure
 * *ret_table is not written. */
enum elf_status elf_find_table(const void *header, uint64_t file_size_bytes, uint32_t machine,
                               struct elf_table *ret_table) __attribute__((warn_unused_result));

/* Check everything else. `table` has the bytes of the table. Precondition: elf_find_table() found it
 * for the same header and the same size. On failure *ret_plan is not written, and *ret_culprits has
 * the segments that break the rule. */
enum elf_status elf_plan(const void *header, const void *table, uint64_t file_size_bytes,
                         struct elf_plan *ret_plan, struct elf_culprits *ret_culprits)
    __attribute__((warn_unused_result));

/* Bytes of the file that one read moves to their place: one segment, or neighbours. */
struct elf_read {
    uint64_t file_offset;
    uint64_t place; /* in bytes from the image's start */
    uint64_t size_bytes;
};

/* Give the read for the segment `first`, and for those behind it that have the same distance
 * between file and memory. It also moves the bytes between two of them: less than 4 KiB. Return
 * the number of the first segment that needs another read, at most plan->segment_count. Precondition:
 * first < plan->segment_count. A segment without bytes in the file needs no read: size_bytes is 0. */
unsigned elf_next_read(const struct elf_plan *plan, unsigned first, struct elf_read *ret_read);

/* Zero every byte of the image that no segment has in the file: gaps, .bss, page tails. `image` is
 * writable memory as large as plan->image. Call it after the reads: they may fill gaps. */
void elf_zero_rest(const struct elf_plan *plan, void *image);

#endif
