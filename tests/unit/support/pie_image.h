/*
 * pie_image.h - the image of a small static PIE in memory. A test writes its tables.
 *
 *   link address        bytes in the file
 *   base                0x1000   text    r-x
 *   base + 0x1000       0x1000   tables  r--   relocations
 *   base + 0x2000       0x1000   data    rw-   dynamic section at its start; 0x2000 in memory
 *   base + 0x5000       0x10     small   rw-   behind a gap
 */
#ifndef TESTS_UNIT_SUPPORT_PIE_IMAGE_H
#define TESTS_UNIT_SUPPORT_PIE_IMAGE_H

#include "bootloader/pure/relocation.h"

#define PIE_IMAGE_SIZE_BYTES 0x6000
#define PIE_TABLES           0x1000
#define PIE_DATA             0x2000
#define PIE_DYNAMIC_BYTES    0x200
#define PIE_SMALL            0x5000

struct pie_image {
    struct elf_plan plan;
    uint64_t base;
    unsigned entry_count; /* of the dynamic section */
    uint8_t bytes[PIE_IMAGE_SIZE_BYTES];
};

void pie_image_create(struct pie_image *pie, uint64_t base);

/* Write a number at an offset of the image. */
void pie_image_set64(struct pie_image *pie, uint64_t offset, uint64_t value);
uint64_t pie_image_get64(const struct pie_image *pie, uint64_t offset);

/* Append an entry to the dynamic section. The section ends with zeros, which are DT_NULL. */
void pie_image_add(struct pie_image *pie, uint64_t tag, uint64_t value);

/* Write relocation `index` of a RELA table at PIE_TABLES. The place is an offset of the image. */
void pie_image_set_rela(struct pie_image *pie, unsigned index, uint64_t place, uint64_t kind,
                        uint64_t addend);

/* Name that table, with `count` entries. */
void pie_image_add_rela(struct pie_image *pie, unsigned count);

/* Write a RELR table at PIE_TABLES + 0x800, and name it. */
void pie_image_add_relr(struct pie_image *pie, const uint64_t *words, unsigned count);

/* Apply with the kinds of x86-64, and marks of exactly the stated size. */
enum relocation_status pie_image_relocate(struct pie_image *pie, uint64_t slide,
                                          struct relocation_culprit *ret_culprit);

#endif
