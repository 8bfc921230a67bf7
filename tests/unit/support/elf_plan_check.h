/*
 * elf_plan_check.h - check an ELF plan a second time, only with the plan and the file, for unit
 * tests and the fuzzer.
 */
#ifndef TESTS_UNIT_SUPPORT_ELF_PLAN_CHECK_H
#define TESTS_UNIT_SUPPORT_ELF_PLAN_CHECK_H

#include "bootloader/pure/elf_text.h"

/* Plan a whole file, as the loader does: the header first, then the table at its place. Each part is
 * copied to an odd address in a block of its exact size, so the sanitizers find a read past its end,
 * and an access that needs alignment. */
enum elf_status elf_plan_of_file(const void *file, uint64_t file_size_bytes, uint32_t machine,
                                 struct elf_plan *ret_plan);

/* The same, and write the words of a refusal to `text`. */
enum elf_status elf_refusal_of_file(const void *file, uint64_t file_size_bytes, uint32_t machine,
                                    struct elf_plan *ret_plan, char text[ELF_REFUSAL_CAPACITY]);

/* Return the promise of bootloader/pure/elf.h that the plan breaks, or NULL. */
const char *elf_plan_problem(const struct elf_plan *plan, uint64_t file_size_bytes);

/* Load into dirty memory. Compare every byte with the plan, and check that the bytes behind are
 * unchanged. Return NULL, or the problem. Precondition: the plan has no problem. */
const char *elf_load_problem(const struct elf_plan *plan, const void *file);

#endif
