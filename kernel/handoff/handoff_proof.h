/*
 * handoff_proof.h - a handoff while it is being checked: what is proven so far, and the two
 * questions that the parts of the check ask. For kernel/handoff_*.c only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_PROOF_H
#define KERNEL_HANDOFF_HANDOFF_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check.h"
#include "kernel/mm/region_list.h"
#include "shared/page_table.h"

/* Grows from top to bottom. An address of one must not change: its tables' callback points to it.
 */
struct handoff_proof {
    const struct entry_state *state;
    const struct handoff *handoff; /* NULL until it may be read */
    struct page_table tables;      /* in force; root NULL until the block below is known */
    struct range table_block;      /* physical; a table outside of it is not read */
    struct handoff_view view;
};

/* Where a byte of physical memory is read. */
const void *handoff_proof_at(const struct handoff_proof *proof, uint64_t physical);

/* [base, base + size_bytes) is not empty, of whole pages, and does not wrap. */
bool handoff_proof_is_block(uint64_t base, uint64_t size_bytes);

/* Such a block of physical memory lies in regions of one type. Precondition: the regions are
 * proven. */
bool handoff_proof_is_covered(const struct handoff_proof *proof, uint64_t base, uint64_t size_bytes,
                              enum handoff_region_type type);

/* The tables in force map the block at `virtual` with exactly these permissions. Precondition: the
 * tables may be read. */
bool handoff_proof_is_mapped(const struct handoff_proof *proof, uint64_t virtual, uint64_t physical,
                             uint64_t size_bytes, struct page_permissions permissions);

/* The block is seen in the direct map as all RAM is: writable, never executable, write-back. */
bool handoff_proof_is_in_direct_map(const struct handoff_proof *proof, uint64_t base,
                                    uint64_t size_bytes);

/* Kernel, stack, page tables and loader (kernel/handoff/handoff_ownership.c). Precondition: the
 * regions are proven. */
enum handoff_check_status handoff_proof_of_ownership(const struct handoff_proof *proof);

/* The first framebuffer, or all zero, to *ret_framebuffer. OK: its numbers fit together, and the
 * tables in force map it as the memory of a screen, which no RAM is
 * (kernel/handoff/handoff_framebuffer.c). Precondition: the tables may be read. */
enum handoff_framebuffer_status
handoff_proof_of_screen(const struct handoff_proof *proof,
                        struct handoff_framebuffer *ret_framebuffer);

/* That, and it lies in regions of its type. Precondition: the regions are proven. */
enum handoff_framebuffer_status
handoff_proof_of_framebuffer(const struct handoff_proof *proof,
                             struct handoff_framebuffer *ret_framebuffer);

#endif
