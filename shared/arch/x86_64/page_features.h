/*
 * page_features.h - what the CPU allows for page tables, for loader and kernel.
 */
#ifndef SHARED_ARCH_X86_64_PAGE_FEATURES_H
#define SHARED_ARCH_X86_64_PAGE_FEATURES_H

#include "shared/page_table.h"

/* What the CPU has, whether it is switched on or not. The number of levels is the one that is in
 * force. Privilege level 0. */
void page_features_read(struct page_table_features *ret_features);

#endif
