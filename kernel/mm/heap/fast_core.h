/*
 * fast_core.h - the memory under the fast policy: sealed blocks, free ones in bins by size.
 *
 *   base                                                                             end
 *   | 8 |header| payload |header| payload        |header| payload |…|header| top   |header|
 *         used                free                 cached                            end marker
 *                             links |…| footer
 *
 * A block is known by the address of its payload, a multiple of 16; the 8 bytes before it are its
 * header. Blocks lie back to back, so the header behind a block is also the canary of its end.
 *
 * A word (header or footer) holds a hash of its content, its address and the heap's secret in its
 * low bits, which a write that runs over the end of the block before it meets first. The content of
 * a header:
 *
 *   63      60 59  55 54         53   52    51   50    19 18    0
 *   | alignment | slack | previous | own | free | live | units | hash |
 *
 * `units` reach from this block to the next. `slack` is what the payload has behind the bytes that
 * were asked for. `alignment` is the binary logarithm of what was asked for, less 4; 15 stands for
 * all from 2^19 on. `previous` is set if the block before is free. Of `live`, `free` and `own` (the
 * policy's memory for itself) one is set; none if the block is cached: freed, but not merged, and to
 * its neighbours as good as live.
 *
 * Every operation takes constant time: a bin is found by two bit scans ("TLSF: a new dynamic memory
 * allocator for real-time systems", Masmano et al., ECRTS 2004), neighbours through header and
 * footer.
 */
#ifndef KERNEL_MM_HEAP_FAST_CORE_H
#define KERNEL_MM_HEAP_FAST_CORE_H

#include "kernel/mm/heap/policy.h"

#define FAST_UNIT_BYTES   ((size_t)16)
#define FAST_HEADER_BYTES sizeof(uint64_t)
/* Links and a footer fit the smallest block. */
#define FAST_MINIMUM_UNITS ((size_t)2)

/* The first byte behind what was asked for, where there is one. No ASCII character, no 0 and no
 * 0xff: what runs over the end of a block is often one of these. */
#define FAST_CANARY ((uint8_t)0xbf)

/* --- Words ------------------------------------------------------------------------------------ */

#define FAST_HASH_MASK       UINT64_C(0x7ffff)
#define FAST_HASH_BITS       19
#define FAST_UNITS_SHIFT     FAST_HASH_BITS
#define FAST_LIVE            (UINT64_C(1) << 51)
#define FAST_FREE            (UINT64_C(1) << 52)
#define FAST_OWN             (UINT64_C(1) << 53)
#define FAST_PREVIOUS_FREE   (UINT64_C(1) << 54)
#define FAST_SLACK_SHIFT     55
#define FAST_SLACK_MASK      UINT64_C(31)
#define FAST_ALIGNMENT_SHIFT 60

/* The multiplier is 2^64 divided by the golden ratio: each bit of what is multiplied changes the
 * highest bits of the product. */
static inline uint64_t fast_hash(const struct fast_core *core, const void *place, uint64_t content)
{
    uint64_t mixed = content ^ (uintptr_t)place ^ core->secret;
    return mixed * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FAST_HASH_BITS);
}

/* The low bits of `content`, where the hash goes, are 0. */
static inline void fast_write_word(const struct fast_core *core, void *place, uint64_t content)
{
    *(uint64_t *)place = content | fast_hash(core, place, content);
}

/* False if the word was not written by fast_write_word(), at this place, with this secret. */
static inline bool fast_read_word(const struct fast_core *core, const void *place,
                                  uint64_t *ret_content)
{
    uint64_t stored = *(const uint64_t *)place;
    uint64_t content = stored & ~FAST_HASH_MASK;
    *ret_content = content;
    return (content | fast_hash(core, place, content)) == stored;
}

static inline uint64_t fast_header(size_t units, uint64_t flags)
{
    return (uint64_t)units << FAST_UNITS_SHIFT | flags;
}

static inline size_t fast_units(uint64_t header)
{
    return header >> FAST_UNITS_SHIFT & UINT32_MAX;
}

static inline bool fast_is_cached(uint64_t header)
{
    return (header & (FAST_LIVE | FAST_FREE | FAST_OWN)) == 0;
}

static inline void fast_write_header(const struct fast_core *core, uint8_t *block, uint64_t header)
{
    fast_write_word(core, block - FAST_HEADER_BYTES, header);
}

static inline bool fast_read_header(const struct fast_core *core, const uint8_t *block,
                                    uint64_t *ret_header)
{
    return fast_read_word(core, block - FAST_HEADER_BYTES, ret_header);
}

static inline size_t fast_capacity_bytes(size_t units)
{
    return units * FAST_UNIT_BYTES - FAST_HEADER_BYTES;
}

/* How many units a block of that size takes. Precondition: the sum does not wrap. */
static inline size_t fast_units_for(size_t size_bytes)
{
    size_t units = (size_bytes + FAST_HEADER_BYTES + FAST_UNIT_BYTES - 1) / FAST_UNIT_BYTES;
    return units < FAST_MINIMUM_UNITS ? FAST_MINIMUM_UNITS : units;
}

static inline uint8_t *fast_next(const uint8_t *block, size_t units)
{
    return (uint8_t *)(uintptr_t)block + units * FAST_UNIT_BYTES;
}

static inline uint8_t *fast_block_at(const struct fast_core *core, uint32_t place)
{
    return core->base + place * FAST_UNIT_BYTES;
}

static inline uint32_t fast_place_of(const struct fast_core *core, const uint8_t *block)
{
    return (uint32_t)((size_t)(block - core->base) / FAST_UNIT_BYTES);
}

/* The first block, or the end marker. */
static inline uint8_t *fast_first(const struct fast_core *core)
{
    return core->base + FAST_UNIT_BYTES;
}

/* --- Free memory ------------------------------------------------------------------------------ */

/* [base, base + size_bytes), both multiples of 16, becomes free. */
void fast_core_initialise(struct fast_core *core, uint8_t *base, size_t size_bytes,
                          uint64_t secret);

/* The end moves up, or down by no more than the top. */
void fast_core_move_end(struct fast_core *core, uint8_t *end);

/* Take a block of at least `units` at a multiple of `alignment_bytes` out of the free memory; its
 * header is returned (live, slack 0), for the caller to complete and write. NULL if there is none,
 * or if something was found corrupt, which is then reported. */
uint8_t *fast_core_take(struct heap *heap, size_t units, size_t alignment_bytes,
                        const void *caller, uint64_t *ret_header);

/* Free a block that is not in a bin; `header` is what its header says. It is merged with its free
 * neighbours. False: one of them was found corrupt, reported. */
bool fast_core_release(struct heap *heap, uint8_t *block, uint64_t header,
                       const void *caller);

/* Make the block end after `units`; the rest becomes free. `*header` is updated, not written. */
bool fast_core_shrink(struct heap *heap, uint8_t *block, size_t units, uint64_t *header,
                      const void *caller);

/* Let the block take in the free memory behind it, if that makes at least `units`. False: it does
 * not. `*header` is updated, not written. */
bool fast_core_expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header,
                      const void *caller);

/* Report that a header, a footer or a link at or before `block` was overwritten. Always false. */
bool fast_core_corrupt(struct heap *heap, const uint8_t *block, const void *caller);

/* NULL if the bins hold exactly the `free_count` free blocks and are linked as they should. */
const char *fast_core_check_bins(const struct fast_core *core, size_t free_count);

#endif
