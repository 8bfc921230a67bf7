#include "kernel/mm/heap/policies/fast_core.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_absent.h"

/* --- Free blocks ------------------------------------------------------------------------------ */

/* Write header and footer of a free block, and put it into its bin. Precondition: the block before
 * it is in use. */
static bool make_free(struct heap *heap, uint8_t *block, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    sealed_write_header(core->secret, block, sealed_header(units, SEALED_FREE));
    sealed_write_word(core->secret, sealed_footer_before(sealed_next(block, units)),
                      sealed_header(units, 0));
    return fast_bin_insert(heap, block, units);
}

/* Let the top begin at `block`. It ends at the end marker, and may be empty. */
static void set_top(struct fast_core *core, uint8_t *block)
{
    core->free_units -= core->top_units;
    core->top = block;
    core->top_units = (size_t)(core->end - block) / SEALED_UNIT_BYTES;
    core->free_units += core->top_units;
    if (core->top_units != 0)
        sealed_write_header(core->secret, block, sealed_header(core->top_units, SEALED_FREE));
}

/* Write into the header of the block behind whether the one before it is free. */
static bool set_previous_free(struct heap *heap, uint8_t *next, bool previous_is_free)
{
    uint64_t header;
    if (!sealed_read_header(fast_of(heap)->core.secret, next, &header))
        return sealed_record_corrupt(heap, next);
    header &= ~SEALED_PREVIOUS_FREE;
    sealed_write_header(fast_of(heap)->core.secret, next,
                        previous_is_free ? header | SEALED_PREVIOUS_FREE : header);
    return true;
}

static void write_end(const struct fast_core *core)
{
    sealed_write_header(core->secret, core->end, sealed_header(0, SEALED_OWN));
}

void fast_core_initialise(struct fast_core *core, uint8_t *base, size_t size_bytes,
                          struct sealed_secret secret)
{
    *core = (struct fast_core){.secret = secret, .base = base, .end = base + size_bytes};
    write_end(core);
    set_top(core, fast_first(core));
}

void fast_core_move_end(struct fast_core *core, uint8_t *end)
{
    core->end = end;
    write_end(core);
    set_top(core, core->top);
}

/* --- Taking ----------------------------------------------------------------------------------- */

/* Write how many units into the free block an aligned block of `units` begins. The rest before it
 * is empty, or large enough for a block. False: it does not fit. */
static inline bool fits(const uint8_t *block, size_t block_units, size_t units,
                        size_t alignment_bytes, size_t *ret_gap_units)
{
    size_t gap_units = sealed_gap_units(block, alignment_bytes);
    if (gap_units == 1)
        gap_units += alignment_bytes / SEALED_UNIT_BYTES;
    *ret_gap_units = gap_units;
    return gap_units <= block_units && units <= block_units - gap_units;
}

/* Look at up to `looks` blocks of one bin. NULL: no block fits. *ret_header is the header of the
 * last one. */
static uint8_t *search_bin(struct heap *heap, unsigned bin, unsigned looks, size_t units,
                           size_t alignment_bytes, uint64_t *ret_header, size_t *ret_gap_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint32_t place = core->bins[bin];
    for (; place != 0 && looks != 0; looks--) {
        uint8_t *block = fast_block_at(core, place);
        if (!sealed_read_header(core->secret, block, ret_header) ||
            (*ret_header & SEALED_FREE) == 0) {
            (void)sealed_record_corrupt(heap, block);
            return NULL;
        }
        if (fits(block, sealed_units(*ret_header), units, alignment_bytes, ret_gap_units))
            return block;
        place = fast_links_of(block)->next;
        if (!fast_place_is_possible(core, place)) {
            (void)sealed_record_corrupt(heap, block);
            return NULL;
        }
    }
    return NULL;
}

/* Return a free block with room for the request. The smallest bin is first, the top is last. */
static inline __attribute__((always_inline)) uint8_t *find(struct heap *heap, size_t units,
                                                           size_t alignment_bytes,
                                                           uint64_t *ret_header,
                                                           size_t *ret_gap_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    unsigned own_bin = fast_bin_of(units);
    uint8_t *block =
        search_bin(heap, own_bin, 1, units, alignment_bytes, ret_header, ret_gap_units);
    if (block != NULL || heap->is_corrupt)
        return block;

    size_t enough_units = alignment_bytes == SEALED_UNIT_BYTES
                              ? units
                              : units + alignment_bytes / SEALED_UNIT_BYTES + 1;
    unsigned bin = fast_bin_not_empty(core, fast_bin_above(enough_units));
    if (bin < FAST_BIN_COUNT)
        return search_bin(heap, bin, 1, units, alignment_bytes, ret_header, ret_gap_units);

    if (fits(core->top, core->top_units, units, alignment_bytes, ret_gap_units)) {
        *ret_header = sealed_header(core->top_units, SEALED_FREE);
        return core->top;
    }
    return search_bin(heap, own_bin, FAST_BIN_LAST_LOOKS, units, alignment_bytes, ret_header,
                      ret_gap_units);
}

bool fast_core_has_room(struct heap *heap, size_t size_bytes)
{
    uint64_t header;
    size_t gap_units;
    return find(heap, fast_units_for(size_bytes), SEALED_UNIT_BYTES, &header, &gap_units) != NULL;
}

/* Take a free block out of its bin, for a block inside of it. The rest behind that block becomes
 * free. A rest that is too short stays part of the block. */
static bool cut_from_bin(struct heap *heap, uint8_t *source, size_t source_units, uint8_t *block,
                         size_t *units)
{
    uint8_t *behind = sealed_next(block, *units);
    size_t rest_units = source_units - (size_t)(behind - source) / SEALED_UNIT_BYTES;
    if (!fast_bin_remove(heap, source, source_units))
        return false;
    if (rest_units >= FAST_MINIMUM_UNITS)
        return make_free(heap, behind, rest_units);
    *units += rest_units;
    return set_previous_free(heap, sealed_next(behind, rest_units), false);
}

uint8_t *fast_core_take(struct heap *heap, size_t units, size_t alignment_bytes,
                        uint64_t *ret_header)
{
    struct fast_core *core = &fast_of(heap)->core;
    uint64_t found;
    size_t gap_units;
    uint8_t *source = find(heap, units, alignment_bytes, &found, &gap_units);
    if (source == NULL)
        return NULL;

    uint8_t *block = sealed_next(source, gap_units);
    if (source == core->top) {
        heap_zero_set_written(heap, sealed_next(block, units));
        set_top(core, sealed_next(block, units));
    } else if (!cut_from_bin(heap, source, sealed_units(found), block, &units)) {
        return NULL;
    }
    if (gap_units != 0 && !make_free(heap, source, gap_units))
        return NULL;
    fast_absent_count_taken(fast_of(heap));
    *ret_header = sealed_header(units, SEALED_LIVE) | sealed_alignment_field(alignment_bytes) |
                  (gap_units != 0 ? SEALED_PREVIOUS_FREE : 0);
    return block;
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Take the free block behind out of its bin, or out of the top, so that the block before it can
 * include it. On true *ret_units is its size, or 0 if the block behind is not free. */
static bool detach_next(struct heap *heap, uint8_t *next, size_t *ret_units)
{
    uint64_t header;
    *ret_units = 0;
    if (!sealed_read_header(fast_of(heap)->core.secret, next, &header))
        return sealed_record_corrupt(heap, next);
    if ((header & SEALED_FREE) == 0)
        return true;
    if (next != fast_of(heap)->core.top && !fast_bin_remove(heap, next, sealed_units(header)))
        return false;
    sealed_wipe_header(next);
    *ret_units = sealed_units(header);
    return true;
}

/* Find the free block that ends at `block` and take it out of its bin. */
static bool detach_previous(struct heap *heap, uint8_t *block, uint8_t **ret_previous)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint64_t header;
    uint64_t footer;
    if (!sealed_read_word(core->secret, sealed_footer_before(block), &footer))
        return sealed_record_corrupt(heap, block);
    size_t units = sealed_units(footer);
    /* The same check as in fast_bin_remove(). */
    if (units > (size_t)(block - fast_first(core)) / SEALED_UNIT_BYTES)
        return sealed_record_corrupt(heap, block);
    uint8_t *previous = block - units * SEALED_UNIT_BYTES;
    if (!sealed_read_header(core->secret, previous, &header) || (header & SEALED_FREE) == 0 ||
        sealed_units(header) != units)
        return sealed_record_corrupt(heap, previous);
    *ret_previous = previous;
    return fast_bin_remove(heap, previous, units);
}

bool fast_core_detach(struct heap *heap, uint8_t *block, size_t units)
{
    return fast_bin_remove(heap, block, units) &&
           set_previous_free(heap, sealed_next(block, units), false);
}

bool fast_core_release(struct heap *heap, uint8_t *block, uint64_t header)
{
    struct fast_core *core = &fast_of(heap)->core;
    fast_absent_count_freed(fast_of(heap), sealed_units(header));
    uint8_t *next = sealed_next(block, sealed_units(header));
    bool reaches_top = next == core->top;
    size_t next_units;
    if (!detach_next(heap, next, &next_units))
        return false;
    uint8_t *start = block;
    if ((header & SEALED_PREVIOUS_FREE) != 0) {
        if (!detach_previous(heap, block, &start))
            return false;
        sealed_wipe_header(block);
    }
    if (reaches_top) {
        set_top(core, start);
        return true;
    }
    if (next_units == 0 && !set_previous_free(heap, next, true))
        return false;
    return make_free(heap, start, (size_t)(next - start) / SEALED_UNIT_BYTES + next_units);
}

bool fast_core_shrink(struct heap *heap, uint8_t *block, size_t units, uint64_t *header)
{
    size_t rest_units = sealed_units(*header) - units;
    uint8_t *rest = sealed_next(block, units);
    bool next_is_top = sealed_next(rest, rest_units) == fast_of(heap)->core.top;
    if (rest_units == 0 || (rest_units < FAST_MINIMUM_UNITS && !next_is_top))
        return true;
    *header = sealed_with_units(*header, units);
    return fast_core_release(heap, rest, sealed_header(rest_units, SEALED_LIVE));
}

/* Make sure that the top has at least `units`. The heap grows by the missing units. */
static bool grow_top(struct heap *heap, size_t units)
{
    size_t top_units = fast_of(heap)->core.top_units;
    return units <= top_units || heap_end_grow_by(heap, (units - top_units) * SEALED_UNIT_BYTES);
}

bool fast_core_expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header)
{
    struct fast_core *core = &fast_of(heap)->core;
    uint8_t *next = sealed_next(block, sealed_units(*header));
    uint64_t behind;
    if (!sealed_read_header(core->secret, next, &behind))
        return sealed_record_corrupt(heap, next);
    size_t more_units = units - sealed_units(*header);
    bool next_is_top = next == core->top;
    bool has_room = next_is_top ? grow_top(heap, more_units)
                                : (behind & SEALED_FREE) != 0 && sealed_units(behind) >= more_units;
    size_t next_units;
    if (!has_room || !detach_next(heap, next, &next_units))
        return false;
    if (next_is_top) {
        *header = sealed_with_units(*header, units);
        heap_zero_set_written(heap, sealed_next(block, units));
        set_top(core, sealed_next(block, units));
        return true;
    }
    size_t rest_units = next_units - more_units;
    if (rest_units >= FAST_MINIMUM_UNITS) {
        *header = sealed_with_units(*header, units);
        return make_free(heap, sealed_next(block, units), rest_units);
    }
    *header = sealed_with_units(*header, units + rest_units);
    return set_previous_free(heap, sealed_next(next, next_units), false);
}
