/*
 * page_features.h - the CPU's features for page tables, for loader and kernel.
 */
#ifndef SHARED_ARCH_X86_64_PAGE_FEATURES_H
#define SHARED_ARCH_X86_64_PAGE_FEATURES_H

#include "shared/page_table.h"

/* Write the features that the CPU has, switched on or not. The number of levels is the one in
 * force. Precondition: privilege level 0. */
void page_features_read(struct page_table_features *ret_features);

#endif
