/*
 * boot_record_text.h - the record of the last boot, as a paragraph for a person.
 *
 * The record's text may hold any bytes. Here each byte that is not printable ASCII becomes '?', and
 * each line gets a mark, so that no line looks like one of this boot. Pure.
 */
#ifndef BOOTLOADER_PURE_BOOT_RECORD_TEXT_H
#define BOOTLOADER_PURE_BOOT_RECORD_TEXT_H

#include <stddef.h>

#include "shared/post_mortem.h"

/* More than a record of ordinary lines needs. */
#define BOOT_RECORD_TEXT_CAPACITY_BYTES 6144

/* Write the paragraph, with a NUL, and return its length. It is empty for a boot that has ended. A
 * text that does not fit is cut. Precondition: capacity_bytes > 0. */
size_t boot_record_describe(const struct post_mortem *record, char *text, size_t capacity_bytes);

#endif
