/*
 * elf.h - check a kernel's whole ELF file before memory is allocated for it.
 *
 * Input: the bytes of an untrusted file. Output: a plan of the segments and their places. Every
 * number in the plan is checked, so the code that loads the file needs no checks. Accepted: ELF64,
 * little-endian, for this machine, ET_EXEC, statically linked into the higher half. (System V gABI,
 * "Object Files" and "Program Loading"; catalogue group E.)
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
    ELF_NOT_EXECUTABLE,      /* e_type is not ET_EXEC */
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
    ELF_LOWER_HALF,      /* below ELF_LOWEST_ADDRESS, or not canonical */
    ELF_BAD_ENTRY,       /* e_entry not inside an executable segment's bytes */
    ELF_NOTHING_TO_LOAD, /* no PT_LOAD with a size */
    ELF_TOO_MANY_SEGMENTS,
    ELF_NEEDS_INTERPRETER, /* PT_INTERP */
    ELF_NEEDS_RELOCATION,  /* PT_DYNAMIC: dynamic linking or relocations */
};

/* Return the error in the file as a constant English sentence. Never NULL. */
const char *elf_status_text(enum elf_status status);

struct elf_segment {
    struct virt_range memory; /* need not be page-aligned; not empty */
    uint64_t file_offset;     /* 0 if there are no bytes in the file */
    uint64_t file_size_bytes; /* at most the size in memory; the rest is zero */
    bool write;
    bool execute;
};

/* Segments are sorted by address and disjoint; no page holds two permissions. */
struct elf_plan {
    struct virt_addr entry;
    struct virt_range image; /* page-aligned: covers every segment */
    unsigned segment_count;  /* 1…ELF_SEGMENT_LIMIT */
    struct elf_segment segments[ELF_SEGMENT_LIMIT];
};

/* Check the file. `machine` is the accepted e_machine (HANDOFF_MACHINE_*). On failure *ret_plan is
 * not written. */
enum elf_status elf_plan(const void *file, uint64_t file_size_bytes, uint32_t machine,
                         struct elf_plan *ret_plan) __attribute__((warn_unused_result));

/* Write the image to `image`: writable memory as large as plan->image, with any content. Copy each
 * segment's bytes from the file, and zero all other bytes (.bss, page tails, gaps). Precondition:
 * *plan came from elf_plan() on the same file. */
void elf_load(const struct elf_plan *plan, const void *file, void *image);

#endif
