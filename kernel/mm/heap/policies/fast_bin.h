/*
 * fast_bin.h - the free blocks of the fast policy's core, on lists by size.
 *
 * A free block's payload begins with two links, a place each, and ends with its footer. A bin that
 * is not empty has a bit. A request looks at up to five words of bits.
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

/* Return the number of units between the first block and this one. The result is above any index if
 * the pointer is below the first block, or no multiple of 16: the rotation moves its low bits up. */
static inline size_t fast_block_index(const struct fast_core *core, const uint8_t *block)
{
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)core->first);
    return offset / SEALED_UNIT_BYTES | offset << (sizeof offset * 8 - 4);
}

/* True if a link may be followed: both neighbours on the list must agree on it. */
static inline bool fast_place_is_possible(const struct fast_core *core, uint32_t place)
{
    return place < core->end_place;
}

/* Head of a free block's payload. */
struct fast_links {
    union {
        struct {
            uint32_t next;
            uint32_t previous;
        };
        uint64_t both;
    };
};

static inline struct fast_links *fast_links_of(const uint8_t *block)
{
    return (struct fast_links *)(void *)(uintptr_t)block;
}

/* The footer is a copy of the header, with the header's hash. So it needs no hash of its own. */
static inline uint64_t *fast_footer_of(const uint8_t *block, size_t units)
{
    return sealed_footer_before(sealed_next(block, units));
}

/* True if the footer of a free block is intact. Precondition: the block is not the top, and its
 * header is intact. */
static inline bool fast_footer_is_sound(const uint8_t *block, size_t units)
{
    return *fast_footer_of(block, units) == sealed_header_word(block);
}

/* --- Bins ------------------------------------------------------------------------------------- */

/* Return the bin for a free block of this size. It follows from the size's binary logarithm, and
 * from the FAST_BIN_SHIFT bits behind the highest one. */
static inline unsigned fast_bin_of(size_t units)
{
    unsigned exponent = 63u ^ (unsigned)__builtin_clzll(units | 1u << FAST_BIN_SHIFT);
    return (exponent << FAST_BIN_SHIFT) + (unsigned)(units << FAST_BIN_SHIFT >> exponent);
}

/* True if both sizes have the same bin. Precondition: the second one is not smaller. */
static inline bool fast_bin_is_same(size_t units, size_t more_units)
{
    unsigned exponent = 63u ^ (unsigned)__builtin_clzll(units | 1u << FAST_BIN_SHIFT);
    return (units ^ more_units) << FAST_BIN_SHIFT >> exponent == 0;
}

/* Return the first bin in which all blocks are large enough. Precondition: the size is not 0. */
static inline unsigned fast_bin_above(size_t units)
{
    return fast_bin_of(units - 1) + 1;
}

/* Find the first bin, beginning with `bin`, that is not empty. False: there is none. `bin` may be
 * FAST_BIN_COUNT, which stays empty. */
static inline bool fast_bin_find(const struct fast_core *core, unsigned bin, unsigned *ret_bin)
{
    size_t word = bin / 64;
    uint64_t bits = core->bin_bits[word] & UINT64_MAX << bin % 64;
    while (bits == 0) {
        if (++word == FAST_BIN_WORDS)
            return false;
        bits = core->bin_bits[word];
    }
    *ret_bin = (unsigned)word * 64 + (unsigned)__builtin_ctzll(bits);
    return true;
}

/* The same; FAST_BIN_COUNT for none. */
static inline unsigned fast_bin_not_empty(const struct fast_core *core, unsigned bin)
{
    return fast_bin_find(core, bin, &bin) ? bin : FAST_BIN_COUNT;
}

/* --- Lists ------------------------------------------------------------------------------------ */

/* These change a bin's list, and not `bin_units`. The links come from free memory, so each one must
 * lead to a block that leads back.
 *
 * Place 0 has no block, but links: the first 8 bytes of the heap, which nobody else uses. They stand
 * for the neighbour of a list's first and last block. So no change needs a branch for a list's end,
 * which no CPU could predict. What they must contain for the checks is written before each one. */

static inline struct fast_links *fast_links_at(const struct fast_core *core, uint32_t place)
{
    return fast_links_of(fast_block_at(core, place));
}

/* Insert a free block. Return NULL, or the block whose links were overwritten. */
static inline uint8_t *fast_bin_put(struct fast_core *core, unsigned bin, uint8_t *block,
                                    uint32_t place)
{
    uint32_t head = core->bins[bin];
    struct fast_links *none = fast_links_at(core, 0);
    struct fast_links *links = fast_links_at(core, head);
    none->previous = 0;
    fast_links_of(block)->both = head;
    core->bins[bin] = place;
    core->bin_bits[bin / 64] |= UINT64_C(1) << bin % 64;
    if (links->previous != 0)
        return (uint8_t *)links;
    links->previous = place;
    return NULL;
}

static inline void fast_bin_set_empty(struct fast_core *core, unsigned bin)
{
    core->bins[bin] = 0;
    core->bin_bits[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

/* Take the first block, at `place`, out of a bin. False: its links were overwritten. */
static inline bool fast_bin_drop_first(struct fast_core *core, unsigned bin, const uint8_t *block,
                                       uint32_t place)
{
    uint32_t next = fast_links_of(block)->next;
    if (next == 0) {
        fast_bin_set_empty(core, bin);
        return true;
    }
    if (!fast_place_is_possible(core, next) || fast_links_at(core, next)->previous != place)
        return false;
    core->bins[bin] = next;
    fast_links_at(core, next)->previous = 0;
    return true;
}

/* Take a free block of `units` out of its bin. False: its links were overwritten. */
static inline __attribute__((always_inline)) bool
fast_bin_drop(struct fast_core *core, size_t units, const uint8_t *block, uint32_t place)
{
    struct fast_links links = *fast_links_of(block);
    unsigned bin = fast_bin_of(units);
    if (links.both == 0) {
        if (core->bins[bin] != place)
            return false;
        fast_bin_set_empty(core, bin);
        return true;
    }
    if (!fast_place_is_possible(core, links.next) || !fast_place_is_possible(core, links.previous))
        return false;
    uint32_t *forward = &fast_links_at(core, links.previous)->next;
    forward = __builtin_unpredictable(links.previous == 0) ? &core->bins[bin] : forward;
    uint32_t *backward = &fast_links_at(core, links.next)->previous;
    fast_links_at(core, 0)->previous = place;
    if (*forward != place || *backward != place)
        return false;
    *forward = links.next;
    *backward = links.previous;
    return true;
}

/* --- Views ------------------------------------------------------------------------------------ */

/* A bin above 256 bytes holds several sizes. A request looks at one block of its own bin, then at
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
