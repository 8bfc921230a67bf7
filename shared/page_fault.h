/*
 * page_fault.h - a page fault in terms that every CPU has, and in words, for the loader's report
 * and the kernel's panic. The files under shared/arch/ decode the error code of the CPU.
 *
 * Pure. Phase: any.
 */
#ifndef SHARED_PAGE_FAULT_H
#define SHARED_PAGE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"

enum page_fault_access {
    PAGE_FAULT_READ,
    PAGE_FAULT_WRITE,
    PAGE_FAULT_FETCH, /* of an instruction */
};

/* The reason for the fault, the first that applies. */
enum page_fault_obstacle {
    PAGE_FAULT_NOT_MAPPED,
    PAGE_FAULT_BAD_ENTRY, /* an entry has bits set that must be zero */
    PAGE_FAULT_KEY,       /* the page's protection key */
    PAGE_FAULT_NOT_EXECUTABLE,
    PAGE_FAULT_NOT_WRITABLE,
    PAGE_FAULT_NOT_READABLE,
};

struct page_fault {
    uint64_t code; /* as the CPU gave it */
    enum page_fault_access access;
    enum page_fault_obstacle obstacle;
    bool is_from_user;
    bool is_to_shadow_stack;
    bool has_other_bits; /* the code has bits that are not decoded */
};

/* Enough for the text of page_fault_describe(). */
#define PAGE_FAULT_CAPACITY_BYTES 200

/* Write it as "0x3: write in kernel mode, the page is there, but not writable". Longer text is cut.
 */
void page_fault_describe(const struct page_fault *fault, char *text, size_t capacity_bytes);

/* Return the kind of the address, if it explains the fault: "in page 0: a null pointer". Otherwise
 * return NULL.
 *   is_canonical  the address can be translated at all */
const char *page_fault_address_text(struct virt_addr address, bool is_canonical);

#endif
