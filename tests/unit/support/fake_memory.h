/*
 * fake_memory.h - physical pages for page tables, on the host.
 *
 * The pages begin at FAKE_MEMORY_BASE, above 4 GiB, so that an address cut to 32 bits is found. A
 * new page has random content with the present bit set, and a freed page gets other random content.
 * A double free, a foreign free and an access outside of the pages abort. The n-th allocation can
 * be made to fail.
 */
#ifndef TESTS_UNIT_SUPPORT_FAKE_MEMORY_H
#define TESTS_UNIT_SUPPORT_FAKE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/page_table.h"

#define FAKE_MEMORY_BASE (UINT64_C(7) << 32)

/* A call of a callback, which is reported to the observer before it returns. Stores to a table are
 * not reported: the observer compares the tables. */
enum fake_memory_event_kind {
    FAKE_MEMORY_ALLOCATED,   /* `page` */
    FAKE_MEMORY_FREED,       /* `page` keeps its bytes until the observer returns */
    FAKE_MEMORY_INVALIDATED, /* `start`, `size_bytes` */
    FAKE_MEMORY_PUBLISHED,
};

struct fake_memory_event {
    enum fake_memory_event_kind kind;
    struct phys_addr page;
    struct virt_addr start;
    uint64_t size_bytes;
};

struct fake_memory {
    uint8_t *bytes;
    bool *used; /* by page */
    uint64_t page_count;
    uint64_t used_count;
    uint64_t allocation_count; /* calls so far, with those that failed */
    uint64_t refused_count;    /* calls that failed, for any reason */
    uint64_t failing_call;     /* the allocation that fails, counted from 1; 0 for none */
    uint64_t invalidate_count;
    uint64_t invalidated_start; /* of the last call */
    uint64_t invalidated_size_bytes;
    uint64_t used_count_at_invalidate; /* pages in use when it was called */
    uint64_t publish_count;
    void (*observe)(void *context, const struct fake_memory_event *event); /* may be NULL */
    void *observe_context;
};

/* Make `page_count` free pages. Aborts if the host has no memory. */
void fake_memory_create(struct fake_memory *memory, uint64_t page_count);
void fake_memory_destroy(struct fake_memory *memory);

/* Return the callbacks over these pages, with invalidate and publish. */
struct page_table_memory fake_memory_callbacks(struct fake_memory *memory);

/* Let the n-th allocation from now on fail (1 = the next one); all others succeed. */
void fake_memory_fail_allocation(struct fake_memory *memory, uint64_t n);

/* Return the bytes of a page. Abort if the page is foreign. */
void *fake_memory_at(struct fake_memory *memory, struct phys_addr page);

#endif
