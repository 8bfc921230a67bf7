/*
 * fault_text.h - the error code and the address of a CPU exception in words. The loader's report
 * and the kernel's panic use it. shared/page_fault.h has the words that are the same for every CPU.
 *
 * Pure. Intel SDM Vol. 3A, 4.7 (page faults) and 6.13 (selectors).
 */
#ifndef SHARED_ARCH_X86_64_FAULT_TEXT_H
#define SHARED_ARCH_X86_64_FAULT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/page_fault.h"

/* Enough for every text below. */
#define FAULT_TEXT_CAPACITY_BYTES PAGE_FAULT_CAPACITY_BYTES

/* Decode the error code of a page fault. */
struct page_fault fault_text_page_fault(uint64_t error_code);

/* Write the error code of exception `vector` in words: "0x3: write by the kernel to a page that is
 * there, but not writable". Return false, and do not write `text`, for an exception without an
 * error code, or whose code is always 0 (#DF, #AC). */
bool fault_text_error_code(unsigned vector, uint64_t error_code, char *text, size_t capacity_bytes);

/* Return true if bits 63 down to 47 (56 with five levels of page tables) are equal. Any other
 * address raises #GP or #SS, never a page fault. */
bool fault_address_is_canonical(uint64_t address, unsigned levels);

/* Return the remedy for exception `vector`: a constant sentence without its full stop. Never NULL.
 */
const char *fault_text_remedy(unsigned vector);

#endif
