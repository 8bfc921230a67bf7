/*
 * page_source.h - the preload library's page source: memory of the system, behind one heap's end.
 *
 * Nothing is reserved: addresses count against RLIMIT_AS, and a program may lower that later. The
 * heap lies where neither the kernel nor a program puts anything unasked: far below the top of the
 * address space and mmap()'s place without a limit of the stack (a third of it), far above every
 * executable that is linked to a fixed address.
 *
 * Phase: any. Concurrency: the caller serialises. There is one.
 */
#ifndef HOST_PRELOAD_PAGE_SOURCE_H
#define HOST_PRELOAD_PAGE_SOURCE_H

#include <handoff/heap.h>

/* At most so many bytes, a multiple of the step in which pages become usable. */
size_t page_source_limit(size_t maximum_bytes);

/* Choose where the heap lies, by a random number; nothing is mapped yet. Returns its base. */
void *page_source_begin(uint64_t random, size_t limit_bytes);

/* The callbacks. */
struct heap_page_source page_source(void);

/* Give what is mapped behind the heap's end back to the system. */
void page_source_discard_spare(void);

/* So many pages that were in memory were given back, so far, while they stayed mapped. */
size_t page_source_discarded_pages(void);

#endif
