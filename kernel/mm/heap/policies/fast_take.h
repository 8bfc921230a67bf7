/*
 * fast_take.h - the usual way to take a block of the core: the first block of a bin. It is inline,
 * since most blocks of the core come from here.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_TAKE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_TAKE_H

#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_core.h"

/* Read the header of a block that a bin or a link leads to. False: it is not a free block inside
 * the heap. */
static inline bool fast_take_read(const struct fast_core *core, uint32_t place, size_t *ret_units)
{
    const uint8_t *block = fast_block_at(core, place);
    uint64_t word = sealed_header_word(block);
    size_t units = word >> SEALED_UNITS_SHIFT; /* and the fields above, which are 0 */
    *ret_units = units;
    return sealed_is_free_word(core->secret, block, word) && units - 1 < core->end_place - place;
}

/* Write header and footer of a free block. Precondition: the block before it is in use. */
static inline void fast_take_write_free(const struct fast_core *core, uint8_t *block, size_t units)
{
    uint64_t word = sealed_free_word(core->secret, block, units);
    *(uint64_t *)(void *)(block - SEALED_HEADER_BYTES) = word;
    *fast_footer_of(block, units) = word;
}

/* Take `units` from the first block of the bin, which has `source_units`. */
static inline __attribute__((always_inline)) struct fast_taken
fast_take_cut(struct fast_state *fast, unsigned bin, size_t source_units, size_t units)
{
    struct fast_core *core = &fast->core;
    uint32_t place = core->bins[bin];
    uint8_t *block = fast_block_at(core, place);
    size_t rest_units = source_units - units;
    if (!fast_bin_drop_first(core, bin, block, place))
        return (struct fast_taken){.block = block};
    if (rest_units < FAST_MINIMUM_UNITS) {
        units = source_units;
        sealed_toggle_previous_free(sealed_next(block, units));
    } else {
        uint8_t *rest = sealed_next(block, units);
        fast_take_write_free(core, rest, rest_units);
        uint8_t *fault = fast_bin_put(core, fast_bin_of(rest_units), rest, place + (uint32_t)units);
        if (fault != NULL)
            return (struct fast_taken){.block = fault};
    }
    core->bin_units -= units;
    fast_absent_count_taken(fast);
    return (struct fast_taken){.block = block, .units = units};
}

/* Take a block of at least `units` from the first bin that has one: the request's own bin, if its
 * first block has room, or any block of a larger one. The block is NULL if these bins have none.
 * The units are 0 if the block's header or links were overwritten. The caller records that
 * fault. */
static inline __attribute__((always_inline)) struct fast_taken
fast_take_first(struct fast_state *fast, size_t units)
{
    const struct fast_core *core = &fast->core;
    unsigned bin = fast_bin_of(units);
    uint32_t place = core->bins[bin];
    size_t source_units = 0;
    if (place != 0 && !fast_take_read(core, place, &source_units))
        return (struct fast_taken){.block = fast_block_at(core, place)};
    if (place == 0 || source_units < units) {
        if (!fast_bin_find(core, bin + 1, &bin))
            return (struct fast_taken){.block = NULL};
        place = core->bins[bin];
        if (!fast_take_read(core, place, &source_units) || source_units < units)
            return (struct fast_taken){.block = fast_block_at(core, place)};
    }
    return fast_take_cut(fast, bin, source_units, units);
}

#endif
