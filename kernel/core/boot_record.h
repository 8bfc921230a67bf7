/*
 * boot_record.h - record this boot's progress for the next boot (shared/post_mortem.h).
 *
 * On the way only the stage is written: one store. In a panic the report goes into a buffer of the
 * kernel while it is printed. The record is written at the end, so a fault in the writer costs no
 * line of the report. It allocates nothing, takes no lock, and cannot panic.
 */
#ifndef KERNEL_CORE_BOOT_RECORD_H
#define KERNEL_CORE_BOOT_RECORD_H

#include <stdint.h>

#include "shared/post_mortem.h"

/* Use the pages at `bytes`, POST_MORTEM_AREA_SIZE_BYTES, writable in every address space of the
 * kernel. Without this call, all other functions do nothing. */
void boot_record_open(unsigned char *bytes);

void boot_record_set_stage(enum post_mortem_stage stage);

/* Keep the last lines of the log, and every line from now on. */
void boot_record_begin_panic(uint32_t code);

/* Write the record. A second call, also out of a fault in the first, does nothing. */
void boot_record_end_panic(void);

#endif
