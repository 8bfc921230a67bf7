/*
 * fast_bin.h - the free blocks of the fast policy's core, on lists by size.
 *
 * A free block's payload begins with two links, a place each, and ends with its footer. A bin is
 * found by two bit scans ("TLSF: a new dynamic memory allocator for real-time systems", Masmano et
 * al., ECRTS 2004).
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_BIN_H
#define KERNEL_MM_HEAP_POLICIES_FAST_BIN_H

#include "kernel/mm/heap/policies/fast.h"
#include "kernel/mm/heap/policies/sealed_block.h"

/* --- Places ----------------------------------------------------------------------------------- */

static inline uint8_t *fast_block_at(const struct fast_core *core, uint32_t place)
{
    return core->base + place * SEALED_UNIT_BYTES;
}

static inline uint32_t fast_place_of(const struct fast_core *core, const uint8_t *block)
{
    return (uint32_t)((size_t)(block - core->base) / SEALED_UNIT_BYTES);
}

/* True if a link may be followed: both neighbours on the list must agree on it. */
static inline bool fast_place_is_possible(const struct fast_core *core, uint32_t place)
{
    return place < (size_t)(core->end - core->base) / SEALED_UNIT_BYTES;
}

/* Head of a free block's payload. */
struct fast_links {
    uint32_t next;
    uint32_t previous;
};

static inline struct fast_links *fast_links_of(const uint8_t *block)
{
    return (struct fast_links *)(void *)(uintptr_t)block;
}

/* True if the footer of a free block is intact. Precondition: the block is not the top. */
static inline bool fast_footer_is_sound(const struct fast_core *core, const uint8_t *block,
                                        size_t units)
{
    uint64_t footer;
    return sealed_read_word(core->secret, sealed_footer_before(sealed_next(block, units)),
                            &footer) &&
           sealed_units(footer) == units;
}

/* --- Bins ------------------------------------------------------------------------------------- */

/* Return the bin for a free block of this size. */
static inline unsigned fast_bin_of(size_t units)
{
    if (units < FAST_LINEAR_BINS)
        return (unsigned)units;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(units);
    return FAST_LINEAR_BINS + (exponent - 6) * 32 + (unsigned)(units >> (exponent - 5) & 31);
}

/* Return the first bin in which all blocks are large enough. */
static inline unsigned fast_bin_above(size_t units)
{
    if (units < FAST_LINEAR_BINS)
        return (unsigned)units;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(units);
    return fast_bin_of(units + ((size_t)1 << (exponent - 5)) - 1);
}

/* Return the first bin, beginning with `bin`, that is not empty, or FAST_BIN_COUNT. */
static inline unsigned fast_bin_not_empty(const struct fast_core *core, unsigned bin)
{
    unsigned word = bin / 64;
    if (bin >= FAST_BIN_COUNT)
        return FAST_BIN_COUNT;
    uint64_t bits = core->bin_bits[word] & UINT64_MAX << bin % 64;
    if (bits == 0) {
        uint64_t words = core->bin_summary & UINT64_MAX << word << 1;
        if (words == 0)
            return FAST_BIN_COUNT;
        word = (unsigned)__builtin_ctzll(words);
        bits = core->bin_bits[word];
    }
    return word * 64 + (unsigned)__builtin_ctzll(bits);
}

/* Both return false if the heap is corrupt; the fault is recorded. */
bool fast_bin_insert(struct heap *heap, uint8_t *block, size_t units);
bool fast_bin_remove(struct heap *heap, const uint8_t *block, size_t units);

/* --- Views ------------------------------------------------------------------------------------ */

/* A bin above 1 KiB holds several sizes. A request looks at one block of its own bin, then at
 * larger bins. It looks at this many blocks of its own bin before it fails. */
#define FAST_BIN_LAST_LOOKS 32

/* Return the least size in a bin. */
size_t fast_bin_least(unsigned bin);

/* Return the size of the largest of a bin's first FAST_BIN_LAST_LOOKS blocks; 0 for an empty bin.
 */
size_t fast_bin_largest_seen(const struct fast_core *core, unsigned bin);

/* Call `visit` for each block of the bin. Stops at a corrupt link or header. */
void fast_bin_walk(const struct fast_core *core, unsigned bin, heap_piece_visitor *visit,
                   void *context);

/* Check that the bins hold exactly `free_count` blocks, and that their links are right. Return
 * NULL, or the problem. */
const char *fast_bin_check_all(const struct fast_core *core, size_t free_count);

#endif
