/*
 * page_source.h - the preload library's page source: it maps memory behind the heap's end.
 *
 * It reserves no addresses, since these count against RLIMIT_AS, which a program may lower later.
 * The heap lies at addresses that the kernel does not choose by itself. They are far below the top
 * of the address space. They are also below a third of it, where mmap() begins if the stack has no
 * limit. They are far above every executable that is linked to a fixed address.
 *
 * Phase: any. Concurrency: the caller serialises. There is only one page source.
 */
#ifndef HOST_PRELOAD_PAGE_SOURCE_H
#define HOST_PRELOAD_PAGE_SOURCE_H

#include <handoff/heap.h>

/* The heap's limit in bytes, a multiple of the step in which pages become usable. */
size_t page_source_limit(size_t maximum_bytes);

/* Choose the heap's base by a random number, and return it. Nothing is mapped yet. */
void *page_source_begin(uint64_t random, size_t limit_bytes);

/* Return the callbacks for heap_configuration.pages. */
struct heap_page_source page_source(void);

/* Discard the pages that are mapped behind the heap's end. They stay mapped. */
void page_source_discard_spare(void);

/* Return how many pages were discarded so far: they were in memory, and they stayed mapped. */
size_t page_source_discarded_pages(void);

#endif
