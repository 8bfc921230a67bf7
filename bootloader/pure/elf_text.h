/*
 * elf_text.h - the words about a kernel file that is refused: the rule, the segments that break it,
 * and the option of the linker that helps.
 *
 * Pure: bytes in, text out.
 */
#ifndef BOOTLOADER_PURE_ELF_TEXT_H
#define BOOTLOADER_PURE_ELF_TEXT_H

#include "bootloader/pure/elf.h"

/* Return the error in the file as a constant English sentence. Never NULL. */
const char *elf_status_text(enum elf_status status);

/* Return the remedy as a constant English sentence: an option of the linker, or the remedy of HL-11.
 * Never NULL. */
const char *elf_status_remedy(enum elf_status status);

/* Enough for two segments and the longest sentence. */
#define ELF_REFUSAL_CAPACITY 256

/* Describe the error: the segments or the entry point, and the sentence. `table` has the bytes that
 * elf_plan() has read. It is not read without culprits. */
void elf_describe_refusal(enum elf_status status, const struct elf_culprits *culprits,
                          const void *table, char text[ELF_REFUSAL_CAPACITY]);

#endif
