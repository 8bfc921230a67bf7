/*
 * page_walk.h - read the page tables as the CPU reads them (Intel SDM Vol. 3A, 4.5), from CR3 down,
 * through the direct map. It shares no code with the loader, which wrote the tables.
 */
#ifndef PROBE_PAGE_WALK_H
#define PROBE_PAGE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

/* A page of any size, with the rights that remain after all levels. */
struct page_leaf {
    uint64_t virtual;
    uint64_t physical;
    uint64_t size_bytes;
    bool write;
    bool execute; /* always true if the CPU has no NX */
    bool user;
    bool global;
    unsigned pat_index; /* the index of the PAT field with the memory type */
};

struct page_visitor {
    void *context;
    /* Called before the table at `physical` is read. False: skip this table. May be NULL. */
    bool (*table)(void *context, uint64_t physical);
    /* Called for every present page, in order of virtual addresses. May be NULL. */
    void (*leaf)(void *context, const struct page_leaf *leaf);
};

void page_walk(const struct handoff *handoff, const struct page_visitor *visitor);

/* Find the page that maps one address. If none does, return false and leave *ret_leaf unchanged. */
bool page_walk_find(const struct handoff *handoff, uint64_t virtual, struct page_leaf *ret_leaf);

#endif
