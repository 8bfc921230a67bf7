/*
 * fault_text.h - what a CPU exception's error code and address mean, in words, for the loader's
 * report and the kernel's panic.
 *
 * Pure. Intel SDM Vol. 3A, 4.7 (page faults) and 6.13 (selectors).
 */
#ifndef SHARED_ARCH_X86_64_FAULT_TEXT_H
#define SHARED_ARCH_X86_64_FAULT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has room for every text below. */
#define FAULT_TEXT_CAPACITY_BYTES 200

/* Write what the error code of exception `vector` says: "0x3: write by the kernel to a page that is
 * there, but not writable". False, and `text` not written, for an exception that has none, or
 * always 0 (#DF, #AC). */
bool fault_text_error_code(unsigned vector, uint64_t error_code, char *text, size_t capacity_bytes);

/* True if bits 63 down to 47 (56 with five levels of page tables) are equal: any other address is a
 * #GP or #SS, never a page fault. */
bool fault_address_is_canonical(uint64_t address, unsigned levels);

/* What kind of address this is, where that says what went wrong: "in page 0: a null pointer". NULL
 * if it says nothing. */
const char *fault_text_address(uint64_t address, unsigned levels);

/* What to look at after exception `vector`: a constant sentence without its full stop. Never NULL.
 */
const char *fault_text_remedy(unsigned vector);

#endif
