/*
 * text_part.h - several texts in one. A table of pointers would take eight bytes and a relocation
 * for each text, and the loader has to stay small.
 */
#ifndef BOOTLOADER_PURE_TEXT_PART_H
#define BOOTLOADER_PURE_TEXT_PART_H

/* Return the part with this number, from 0 on. A NUL ends each part. Precondition: there are more
 * than `number` parts. */
const char *text_part(const char *text, unsigned number);

#endif
