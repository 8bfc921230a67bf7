/*
 * guarded_place.h - the places of the guarded window (the picture is in guarded.h). The functions
 * find the place of an address, choose a place for a block, and queue freed places for reuse.
 *
 * Phase and concurrency: as heap.h.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_PLACE_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_PLACE_H

#include "kernel/mm/heap/layers/guarded_state.h"
#include "kernel/mm/heap/policy.h"

/* A place, and its record if the place was ever used. */
struct guarded_place {
    unsigned lane_index;
    uint32_t index;  /* in the lane */
    uintptr_t start; /* of the guard page */
    uintptr_t end;   /* one past its last byte */
    struct guarded_record *record;
};

/* --- Addresses -------------------------------------------------------------------------------- */

static inline uintptr_t guarded_page_down(uintptr_t address)
{
    return address & ~(uintptr_t)(HEAP_PAGE_SIZE_BYTES - 1);
}

static inline uintptr_t guarded_page_up(uintptr_t address)
{
    return guarded_page_down(address + HEAP_PAGE_SIZE_BYTES - 1);
}

/* Return the end of a block's pages. A block of 0 bytes takes one page. */
static inline uintptr_t guarded_pages_end(uintptr_t block, size_t size_bytes)
{
    return guarded_page_up(block + (size_bytes == 0 ? 1 : size_bytes));
}

/* Return the size of a block's pages. */
static inline size_t guarded_page_bytes(const struct guarded_record *record)
{
    return guarded_pages_end(record->block, record->size_bytes) - guarded_page_down(record->block);
}

static inline bool guarded_has(const struct guarded *guarded, const void *address)
{
    return (uintptr_t)address - guarded->base < guarded->window_bytes;
}

/* --- Pages ------------------------------------------------------------------------------------ */

/* Call the page source, and count the pages that it maps. */
bool guarded_make_usable(struct guarded *guarded, uintptr_t start, size_t bytes);
void guarded_take_back(struct guarded *guarded, uintptr_t start, size_t bytes);

/* --- Places ----------------------------------------------------------------------------------- */

/* Divide the window into records and lanes. Precondition: the configuration is valid. */
void guarded_place_begin(struct guarded *guarded);

/* Precondition: the lane has that many places. */
struct guarded_place guarded_place_at(const struct guarded *guarded, unsigned lane_index,
                                      uint32_t index);

/* Write the place that contains the address. False: the address is in the records, or behind all
 * places. */
bool guarded_place_find(const struct guarded *guarded, uintptr_t address,
                        struct guarded_place *ret_place);

/* Choose a place for a request, and the block's address in it. If the reuse queue is full, this is
 * its oldest place, else a place that was never used. Nothing changes yet. False: the request is
 * too long, or all places of the lane are in use. */
bool guarded_place_choose(const struct guarded *guarded, const struct heap_request *request,
                          struct guarded_place *ret_place, uintptr_t *ret_block);

/* Take the chosen place. False: there is no page for its record, and nothing has changed. */
bool guarded_place_take(struct guarded *guarded, struct guarded_place *place)
    __attribute__((warn_unused_result));

/* Append the place to its lane's reuse queue. Precondition: its record says that its block is
 * freed. */
void guarded_place_give_back(struct guarded *guarded, const struct guarded_place *place);

#endif
