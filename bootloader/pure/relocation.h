/*
 * relocation.h - relocate a static PIE in place: read its dynamic section, and apply its
 * relocations.
 *
 * Input: the image of an untrusted file, as elf.h has loaded it. A relocation names a place: eight
 * bytes of a writable segment, which get the address at which the loader maps something. Accepted
 * are relative relocations, in both forms: DT_RELA (with DT_JMPREL) and DT_RELR. A relocation with a
 * symbol is refused: no entry of the dynamic section says how many symbols DT_SYMTAB has, so an
 * index cannot be checked. A static PIE needs none. (System V gABI, "Dynamic Section" and
 * "Relocation"; catalogue N3.)
 *
 * Pure: bytes in, bytes changed. Fuzzed by tests/fuzz/fuzz_relocation.c.
 */
#ifndef BOOTLOADER_PURE_RELOCATION_H
#define BOOTLOADER_PURE_RELOCATION_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"

enum relocation_status {
    RELOCATION_OK = 0,
    /* About the dynamic section. */
    RELOCATION_DYNAMIC_OUTSIDE,  /* PT_DYNAMIC is not inside the bytes of a segment */
    RELOCATION_DYNAMIC_NO_END,   /* no DT_NULL */
    RELOCATION_DYNAMIC_REPEATED, /* a tag that counts, for the second time */
    RELOCATION_NEEDS_LIBRARY,    /* DT_NEEDED */
    RELOCATION_OF_TEXT,          /* DT_TEXTREL, or DF_TEXTREL in DT_FLAGS */
    RELOCATION_OTHER_FORM,       /* DT_REL, or a packed form of Android */
    RELOCATION_BAD_SIZE,         /* of a table, or of its entries */
    RELOCATION_TABLE_OUTSIDE,    /* a table is not inside the bytes of a segment */
    /* About one relocation. */
    RELOCATION_BAD_KIND,
    RELOCATION_OUT_OF_RANGE, /* the place is not inside one segment */
    RELOCATION_READ_ONLY,    /* the segment is */
    RELOCATION_OVERLAP,      /* a relocation before has some of these bytes */
    RELOCATION_RELR_BEGIN,   /* DT_RELR begins with a bitmap */
    RELOCATION_STATUS_COUNT,
};

/* The numbers of the kinds, for a family of processors: arch_relocation_kinds(). */
struct relocation_kinds {
    uint32_t none;
    uint32_t relative;
    const char *prefix; /* of the names: "R_X86_64_" */
    const char *names;  /* of the kinds from 0 on (text_part.h), packed; some are empty */
    uint32_t name_count;
};

/* The relocation that breaks a rule. */
struct relocation_culprit {
    const char *table; /* "RELA", "JMPREL" or "RELR"; NULL if the error is not about one */
    uint64_t index;    /* of the entry in its table, from 0 on */
    uint64_t place;    /* as linked */
    uint32_t kind;     /* not of RELR, which is always relative */
};

struct relocation_request {
    const struct elf_plan *plan; /* as linked */
    void *image;                 /* the bytes of the whole image */
    uint64_t slide;
    const struct relocation_kinds *kinds;
    void *marks; /* relocation_marks_size_bytes(plan) bytes, which this sets */
};

/* The size of the memory in which relocations that overlap are found: a bit for each byte. */
uint64_t relocation_marks_size_bytes(const struct elf_plan *plan);

/* Apply all relocations, in one pass. On failure a part of them is applied, and *ret_culprit has
 * the one that breaks the rule. On success *ret_count is their number. Precondition: elf_plan()
 * made the plan, plan->is_relocatable, and the image is loaded. */
enum relocation_status relocation_apply(const struct relocation_request *request,
                                        uint64_t *ret_count, struct relocation_culprit *ret_culprit)
    __attribute__((warn_unused_result));

#define RELOCATION_TEXT_CAPACITY 160

/* Describe the error in English: the relocation, and the sentence. */
void relocation_describe(enum relocation_status status, const struct relocation_culprit *culprit,
                         const struct relocation_kinds *kinds, char text[RELOCATION_TEXT_CAPACITY]);

#endif
