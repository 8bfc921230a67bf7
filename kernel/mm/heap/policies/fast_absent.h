/*
 * fast_absent.h - free memory of the fast policy whose pages are given back to the page source.
 *
 *      block      first                          end       next
 *   |h| links …   | no pages                     | … |f|h|
 *    ^ header                                footer ^
 *
 * `first` and `end` are multiples of FAST_PAGE_BYTES. Header, links and footer lie in memory that
 * stays present, so the policy never touches an absent page. For its neighbours an absent block is
 * in use: they do not merge with it. The memory before or behind it may be free and present. That
 * is a part of a page, or more than the surplus (see below), or memory that was freed later.
 *
 * The map leads from an absent page to fast_absent_slab, which has no slots. So a pointer into
 * absent memory is refused before its header would be read, and no other free pays for that.
 *
 * When does memory become absent? The policy looks when enough memory was freed since the last look
 * (heap_discard.h). The least amount that was free in the bins between two looks is the surplus: no
 * request needed it. Free blocks become absent up to this amount. So a block that comes and goes
 * keeps its pages. Before the heap's end grows, a request restores as many pages as it needs.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_ABSENT_H
#define KERNEL_MM_HEAP_POLICIES_FAST_ABSENT_H

#include "kernel/mm/heap/policies/fast_map.h"

static inline bool fast_absent_is_at(const struct fast_state *fast, const void *address)
{
    return fast_map_find(fast, address) == &fast_absent_slab;
}

/* True for the header of an absent block. */
static inline bool fast_absent_is(uint64_t header)
{
    return (header & SEALED_OWN) != 0 && fast_own_kind(header) == FAST_OWN_ABSENT;
}

/* --- Counting --------------------------------------------------------------------------------- */

/* Call this after the core has freed a block. */
static inline void fast_absent_count_freed(struct fast_state *fast, size_t units)
{
    fast->absent.freed_units += units;
}

/* Call this after the core has taken a block. */
static inline void fast_absent_count_taken(struct fast_state *fast)
{
    if (fast->core.bin_units < fast->absent.spare_units)
        fast->absent.spare_units = fast->core.bin_units;
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Let surplus memory become absent, if it is time to look. */
void fast_absent_discard_surplus(struct heap *heap);

/* Let all free memory become absent that is worth it. */
void fast_absent_discard_all(struct heap *heap);

/* Return how many free bytes lie from the first absent page up to the top, the free memory at the
 * heap's end. 0: the block before the top is not absent. */
size_t fast_absent_tail(const struct heap *heap);

/* Move the heap's end down to the first page of the absent block before the free memory at the end.
 * Precondition: fast_absent_tail() is not 0. */
void fast_absent_cut_tail(struct heap *heap);

/* Return how many bytes before the first absent page are present; 0 if there is no absent page, or
 * the heap is corrupt. The time is linear in the number of blocks. */
size_t fast_absent_first_offset(const struct heap *heap);

/* --- Taking again ----------------------------------------------------------------------------- */

/* Make absent memory free, so that the request fits. False: no absent memory is large enough, or
 * the page source has no memory, or the heap is corrupt. Then nothing has changed. */
bool fast_absent_restore(struct heap *heap, const struct heap_request *request);

/* --- Views ------------------------------------------------------------------------------------ */

/* Return the absent block that contains the address, or NULL. The time is linear in the number of
 * blocks. */
const uint8_t *fast_absent_find(const struct fast_state *fast, const void *address,
                                size_t *ret_bytes);

/* Return how many of the bytes from the address on lie before the first absent page. */
size_t fast_absent_present_bytes(const struct heap *heap, const uint8_t *address, size_t bytes);

/* Return the size of the largest absent block that fast_absent_restore() finds. */
size_t fast_absent_largest_units(const struct fast_state *fast);

/* Check an absent block, apart from its header. Add its pages to *page_count. Return NULL, or the
 * problem. */
const char *fast_absent_check_block(const struct fast_state *fast, const uint8_t *block,
                                    uint64_t header, size_t *page_count);

/* Check the lists. They hold `block_count` blocks of `units` together. Return NULL, or the problem.
 */
const char *fast_absent_check_lists(const struct fast_state *fast, size_t block_count,
                                    size_t units);

#endif
