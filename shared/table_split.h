/*
 * table_split.h - split large pages, so that a range begins and ends between two pages.
 *
 * Private to shared/page_table*.c.
 */
#ifndef SHARED_TABLE_SPLIT_H
#define SHARED_TABLE_SPLIT_H

#include "shared/page_table.h"

/* Split the large pages at both ends, so that each page lies completely inside or outside of the
 * range. No other part of unmap and protect can fail. No translation changes its meaning.
 * Precondition: table_tree_check_virtual() accepts the range. Failures: NOT_MAPPED, NO_MEMORY; the
 * tables are then unchanged.
 */
enum page_table_status table_split_ends(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes) __attribute__((warn_unused_result));

#endif
