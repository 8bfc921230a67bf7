/*
 * handoff_validation.h - the state of a validation: the results so far, and checks that its parts
 * share. For kernel/handoff/ only.
 *
 * The fields of shared/handoff.h are raw numbers. A part of the check converts them to a range by
 * handoff_validation_block() or handoff_validation_virtual_block(). These refuse numbers that do
 * not describe a block of memory.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_VALIDATION_H
#define KERNEL_HANDOFF_HANDOFF_VALIDATION_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check_status.h"
#include "kernel/handoff/handoff_view.h"
#include "shared/page_table.h"
#include "shared/range.h"

/* The fields are filled from top to bottom. The struct must not move: the callback of its tables
 * points to it.
 */
struct handoff_validation {
    const struct entry_state *state;
    struct phys_addr place;        /* of the structure */
    const struct handoff *handoff; /* NULL until it may be read */
    struct page_table tables;      /* in force; root NULL until the block below is known */
    struct phys_range table_block; /* a table outside of it is not read */
    struct phys_range data_block;  /* everything that the structure points to is inside of it */
    struct handoff_view view;
};

/* A part of the check. */
struct handoff_step {
    enum handoff_check_status (*check)(struct handoff_validation *validation);
};

/* Run the steps in order, up to the first that fails. Return its status, or OK. */
enum handoff_check_status handoff_validation_run(struct handoff_validation *validation,
                                                 const struct handoff_step *steps,
                                                 size_t step_count);

/* Return the pointer at which a byte of physical memory is read. */
const void *handoff_validation_at(const struct handoff_validation *validation,
                                  struct phys_addr address);

/* Write [base, base + size_bytes) to *ret_block. Return false, and write nothing, if it is empty,
 * is not of whole pages, or wraps. */
bool handoff_validation_block(uint64_t base, uint64_t size_bytes, struct phys_range *ret_block);
bool handoff_validation_virtual_block(uint64_t base, uint64_t size_bytes,
                                      struct virt_range *ret_block);

/* Return true if the block lies in regions of one type. Preconditions: it is not empty, and the
 * regions are validated. */
bool handoff_validation_is_covered(const struct handoff_validation *validation,
                                   struct phys_range block, enum handoff_region_type type);

/* Return true if the tables in force map the block at `virtual` with exactly these permissions.
 * Preconditions: the block has whole pages, and the tables may be read. */
bool handoff_validation_is_mapped(const struct handoff_validation *validation,
                                  struct virt_addr virtual, struct phys_range block,
                                  struct page_permissions permissions);

/* Return true if the direct map has the block as it has all RAM: writable, not executable,
 * write-back. */
bool handoff_validation_is_in_direct_map(const struct handoff_validation *validation,
                                         struct phys_range block);

/* Return its address in the direct map. */
struct virt_addr handoff_validation_direct_map(const struct handoff_validation *validation,
                                               struct phys_addr address);

#endif
