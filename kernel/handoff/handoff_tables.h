/*
 * handoff_tables.h - the page tables in force, as the handoff describes them. For kernel/handoff/
 * only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_TABLES_H
#define KERNEL_HANDOFF_HANDOFF_TABLES_H

#include "kernel/handoff/handoff_validation.h"

/* Check the numbers of direct map, features, root and block of tables, then that the tables map
 * their own block. The first table that is read is the root that the CPU uses, and no table outside
 * of the block is read. After OK the tables may be read. */
enum handoff_check_status handoff_tables_check(struct handoff_validation *validation);

/* Write [base, base + size_bytes) to *ret_block. Return false, and write nothing, unless it is a
 * block (handoff_validation_block()) that the direct map reaches. The direct map is as the handoff
 * states it. */
bool handoff_tables_reachable_block(const struct handoff *handoff, uint64_t base,
                                    uint64_t size_bytes, struct phys_range *ret_block);

#endif
