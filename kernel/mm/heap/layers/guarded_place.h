/*
 * guarded_place.h - the places of the guarded window (the picture is in guarded.h): which one an
 * address is in, which one a block gets, and when a place is used again.
 *
 * Phase and concurrency: as heap.h.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_PLACE_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_PLACE_H

#include "kernel/mm/heap/layers/guarded_state.h"
#include "kernel/mm/heap/policy.h"

/* A place, and the record of it if it was ever used. */
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

/* Where the pages of a block end. One of no bytes lies in its page like any other. */
static inline uintptr_t guarded_pages_end(uintptr_t block, size_t size_bytes)
{
    return guarded_page_up(block + (size_bytes == 0 ? 1 : size_bytes));
}

/* Of the pages of a block. */
static inline size_t guarded_page_bytes(const struct guarded_record *record)
{
    return guarded_pages_end(record->block, record->size_bytes) - guarded_page_down(record->block);
}

static inline bool guarded_has(const struct guarded *guarded, const void *address)
{
    return (uintptr_t)address - guarded->base < guarded->window_bytes;
}

/* --- Pages ------------------------------------------------------------------------------------ */

/* The callbacks, and the count of what they gave. */
bool guarded_make_usable(struct guarded *guarded, uintptr_t start, size_t bytes);
void guarded_take_back(struct guarded *guarded, uintptr_t start, size_t bytes);

/* --- Places ----------------------------------------------------------------------------------- */

/* Part the window into records and lanes. Precondition: the configuration is valid. */
void guarded_place_begin(struct guarded *guarded);

/* Precondition: the lane has that many places. */
struct guarded_place guarded_place_at(const struct guarded *guarded, unsigned lane_index,
                                      uint32_t index);

/* The place that contains the address. False if it is in none: in the records, or behind all. */
bool guarded_place_find(const struct guarded *guarded, uintptr_t address,
                        struct guarded_place *ret_place);

/* The place that a request gets, and where its block lies there: a place that was never used,
 * unless the reuse queue is full and its oldest place may be used again. Nothing is changed yet.
 * False if the request is too long, or all places of the lane are taken. */
bool guarded_place_choose(const struct guarded *guarded, const struct heap_request *request,
                          struct guarded_place *ret_place, uintptr_t *ret_block);

/* Take the place that was chosen. False, and nothing changed, if there is no page for its record.
 */
bool guarded_place_take(struct guarded *guarded, struct guarded_place *place)
    __attribute__((warn_unused_result));

/* Append the place to its lane's reuse queue. Precondition: its block is freed, as its record says.
 */
void guarded_place_give_back(struct guarded *guarded, const struct guarded_place *place);

#endif
