/*
 * table_split.h - split large pages, so that a range begins and ends between two pages.
 *
 * For shared/page_table*.c; nobody else includes it.
 */
#ifndef SHARED_TABLE_SPLIT_H
#define SHARED_TABLE_SPLIT_H

#include "shared/page_table.h"

/* Make every page of the range lie wholly in it: the part of unmap and protect that can fail.
 * Nothing that is mapped changes its meaning. Precondition: the range is a possible one
 * (table_tree_check_virtual()). Failures: NOT_MAPPED, NO_MEMORY; the tables are then as they were.
 */
enum page_table_status table_split_ends(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes) __attribute__((warn_unused_result));

#endif
