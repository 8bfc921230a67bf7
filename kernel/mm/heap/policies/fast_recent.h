/*
 * fast_recent.h - kept blocks: a few blocks of the core, up to 64 KiB, that were freed last. They
 * stay apart, unmerged, so that the next request of the same size gets one without a search, a cut
 * and a merge.
 *
 * A kept block has the header of the live block that it was, without the flag `live`, and its slack
 * still has its canaries. So the next block needs no new ones. Its neighbours treat it as a block
 * in use. Every view counts it as free memory. The state has a copy of the header, so a request
 * compares one word to know that the header was not overwritten.
 *
 * Each size belongs to one set, and the blocks of a set have one size: that of the last request
 * which found the set empty. A freed block is kept only if it has this size. So a program that
 * repeats a size gets its blocks from here. A program that repeats none pays for one comparison.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_RECENT_H
#define KERNEL_MM_HEAP_POLICIES_FAST_RECENT_H

#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_core.h"

/* No longer block is kept. */
#define FAST_RECENT_MOST_BYTES ((size_t)64 * 1024)

/* Each heap may keep FAST_RECENT_LEAST blocks. A large one may keep more: as many blocks of
 * FAST_RECENT_MOST_BYTES as take this part of its limit, which is also the part for empty slabs. A
 * block is at most as long as a slab may become.
 * Measured: with 7 kept blocks in 16 MiB, a pair of 24,000 to 65,536 bytes takes 214 to 241
 * instructions in random turn. With 15 it takes 164 to 181, with 31 144 to 152. With 31 in 4 MiB, a
 * kernel's mix uses 87.5 % of the memory instead of 89.5. */
#define FAST_RECENT_LEAST ((size_t)(FAST_RECENT_BLOCKS + 1) / 4)
#define FAST_RECENT_PART  (FAST_SLABS_IN_A_HEAP / FAST_EMPTY_SLABS)

void fast_recent_initialise(struct fast_recent *recent, size_t limit_bytes);

/* Return the set for this size. The multiplier is 2^32 divided by the golden ratio, since the sizes
 * that programs like have few different low bits. */
static inline size_t fast_recent_set_of(size_t size_bytes)
{
    return (uint32_t)size_bytes * UINT32_C(0x9e3779b9) / (UINT32_MAX / FAST_RECENT_SETS + 1);
}

/* True if the header is that of a kept block. */
static inline bool fast_recent_is_kept(uint64_t header)
{
    return (header & (SEALED_LIVE | SEALED_FREE | SEALED_OWN)) == 0;
}

static inline bool fast_recent_is_empty(const struct fast_recent *recent, size_t set)
{
    return recent->ends[set] % FAST_RECENT_DEPTH == 0;
}

/* --- Taking ----------------------------------------------------------------------------------- */

/* Take the newest block of this size, and make it live. NULL: no such block is kept, or its header
 * has changed. The neighbour before it may have changed a flag there, or the header was
 * overwritten. */
static inline uint8_t *fast_recent_take(struct fast_state *fast, size_t size_bytes)
{
    struct fast_recent *recent = &fast->recent;
    size_t set = fast_recent_set_of(size_bytes);
    if (recent->sizes[set] != size_bytes || fast_recent_is_empty(recent, set))
        return NULL;
    size_t entry = (size_t)recent->ends[set] - 1;
    uint64_t *header = (uint64_t *)(void *)fast_block_at(&fast->core, recent->places[entry]) - 1;
    uint64_t word = recent->words[entry];
    if (*header != word)
        return NULL;
    *header = sealed_toggled(word, SEALED_LIVE);
    recent->ends[set]--;
    recent->block_count--;
    return (uint8_t *)(header + 1);
}

/* Call this when no block of this size could be taken, and its set is empty. From now on the set
 * wants blocks of this size, if such a block is no large part of the heap's limit. Before
 * the heap grows, kept blocks are released. So a small heap that can grow keeps as long ones as a
 * large heap. */
static inline void fast_recent_expect(struct heap *heap, size_t size_bytes)
{
    if (size_bytes * FAST_SLABS_IN_A_HEAP <= heap->limit_bytes)
        fast_of(heap)->recent.sizes[fast_recent_set_of(size_bytes)] = (uint32_t)size_bytes;
}

/* Call this when no block of this size could be taken, and its set is not empty. One of the set's
 * blocks is released to the core. The result is true if there is a block of this size after all. In
 * a corrupt heap the fault is recorded. */
bool fast_recent_miss(struct heap *heap, size_t size_bytes);

/* --- Keeping ---------------------------------------------------------------------------------- */

/* True if a live block of this size is kept when it is freed, if it has the usual alignment. */
static inline bool fast_recent_wants(const struct fast_recent *recent, size_t set,
                                     size_t size_bytes)
{
    return recent->sizes[set] == size_bytes;
}

static inline bool fast_recent_is_set_full(const struct fast_recent *recent, size_t set)
{
    return *(const volatile uint32_t *)&recent->ends[set] % FAST_RECENT_DEPTH ==
           FAST_RECENT_DEPTH - 1;
}

/* True if there is no room for another block. The numbers are read as volatiles, so that counting
 * them up is one instruction on memory. */
static inline bool fast_recent_is_full(const struct fast_recent *recent, size_t set)
{
    return fast_recent_is_set_full(recent, set) ||
           *(const volatile unsigned *)&recent->block_count >= recent->block_limit;
}

/* Keep a live block that is freed. Precondition: the set wants it, and there is room. */
static inline void fast_recent_push(struct fast_state *fast, size_t set, uint8_t *block,
                                    uint64_t header)
{
    struct fast_recent *recent = &fast->recent;
    uint64_t word = sealed_toggled(header, SEALED_LIVE);
    size_t entry = recent->ends[set]++;
    recent->places[entry] = fast_place_of(&fast->core, block);
    recent->words[entry] = word;
    *((uint64_t *)(void *)block - 1) = word;
    *(uint64_t *)(void *)block = word; /* heap_check() compares it */
    recent->block_count++;
}

/* Release a block to the core, from the next set that has one. True if this set has room now. False
 * if it was the turn of this set, or if all its entries are used: then no block was released.
 * Precondition: fast_recent_is_full(). */
bool fast_recent_make_room(struct heap *heap, size_t set);

/* Call this when blocks are kept. Merge up to FAST_RECENT_LEAST / 2 of them with the free memory
 * around them. False: the heap is corrupt, and the fault is recorded. */
bool fast_recent_release_some(struct heap *heap);

/* The same for any heap. True if there was a kept block. Call it again to merge more of them. */
static inline bool fast_recent_release(struct heap *heap)
{
    return fast_of(heap)->recent.block_count != 0 && fast_recent_release_some(heap);
}

/* The same for this kept block, whose header is `header`. False: the heap is corrupt, and the fault
 * is recorded. */
bool fast_recent_release_at(struct heap *heap, const uint8_t *block, uint64_t header);

/* Merge all kept blocks. */
void fast_recent_flush(struct heap *heap);

/* --- Views ------------------------------------------------------------------------------------ */

/* Check that the sets hold `kept_count` kept blocks, each once. Return NULL, or the problem. */
const char *fast_recent_check(const struct fast_state *fast, size_t kept_count);

#endif
