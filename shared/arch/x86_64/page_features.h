/*
 * page_features.h - the CPU's features for page tables, for loader and kernel.
 */
#ifndef SHARED_ARCH_X86_64_PAGE_FEATURES_H
#define SHARED_ARCH_X86_64_PAGE_FEATURES_H

#include "shared/page_table.h"

/* Features that the CPU has, switched on or not. The number of levels is the number in force.
 * Privilege level 0. */
void page_features_read(struct page_table_features *ret_features);

#endif
