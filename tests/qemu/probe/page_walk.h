/*
 * page_walk.h - the page tables as the CPU reads them (Intel SDM Vol. 3A, 4.5), from CR3 down,
 * through the direct map. Written apart from the code that made them.
 */
#ifndef PROBE_PAGE_WALK_H
#define PROBE_PAGE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

/* A page of any size, with what all levels together allow. */
struct page_leaf {
    uint64_t virtual;
    uint64_t physical;
    uint64_t size_bytes;
    bool write;
    bool execute; /* without NX in the CPU: always */
    bool user;
    bool global;
    unsigned pat_index; /* which of the eight fields of the PAT gives the memory type */
};

struct page_visitor {
    void *context;
    /* Called before the table at `physical` is read; false leaves it unread. May be NULL. */
    bool (*table)(void *context, uint64_t physical);
    /* Called for every present page in order of virtual address. May be NULL. */
    void (*leaf)(void *context, const struct page_leaf *leaf);
};

void page_walk(const struct handoff *handoff, const struct page_visitor *visitor);

/* The page that maps one address. False, and *ret_leaf not written, if none does. */
bool page_walk_find(const struct handoff *handoff, uint64_t virtual, struct page_leaf *ret_leaf);

#endif
