#include "kernel/mm/heap/policies/fast_core.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_absent.h"

/* --- Free blocks ------------------------------------------------------------------------------ */

/* Write header and footer of a free block. Precondition: the block before it is in use. */
static inline void write_free(const struct fast_core *core, uint8_t *block, size_t units)
{
    sealed_write_header(core->secret, block, sealed_header(units, SEALED_FREE));
    *fast_footer_of(block, units) = sealed_header_word(block);
}

static inline bool make_free(struct heap *heap, uint8_t *block, size_t units)
{
    write_free(&fast_of(heap)->core, block, units);
    return fast_bin_insert(heap, block, units);
}

/* A free block changes its length. Most often a long one stays in its bin. */
static inline bool resize_free(struct heap *heap, uint8_t *block, size_t old_units, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    if (fast_bin_of(old_units) != fast_bin_of(units))
        return fast_bin_remove(heap, block, old_units) && make_free(heap, block, units);
    core->bin_units += units - old_units;
    write_free(core, block, units);
    return true;
}

/* Let the top begin at `block`. It ends at the end marker, and may be empty. */
static inline void set_top(struct fast_core *core, uint8_t *block)
{
    core->top = block;
    core->top_units = (size_t)(core->end - block) / SEALED_UNIT_BYTES;
    if (core->top_units != 0)
        sealed_write_header(core->secret, block, sealed_header(core->top_units, SEALED_FREE));
}

static void set_end(struct fast_core *core, uint8_t *end)
{
    core->end = end;
    core->end_place = fast_place_of(core, end);
    core->last_index = fast_block_index(core, end);
    sealed_write_header(core->secret, end, sealed_header(0, SEALED_OWN));
}

void fast_core_initialise(struct fast_core *core, uint8_t *base, size_t size_bytes,
                          struct sealed_secret secret)
{
    *core = (struct fast_core){.secret = secret, .base = base, .first = base + SEALED_UNIT_BYTES};
    set_end(core, base + size_bytes);
    set_top(core, fast_first(core));
}

void fast_core_move_end(struct fast_core *core, uint8_t *end)
{
    set_end(core, end);
    set_top(core, core->top);
}

/* --- Searching -------------------------------------------------------------------------------- */

/* Read the header of a block that a bin or a link leads to. False: it is not a free block inside
 * the heap; the fault is recorded. */
static inline bool read_free(struct heap *heap, uint8_t *block, uint64_t *ret_header)
{
    const struct fast_core *core = &fast_of(heap)->core;
    return (sealed_read_header(core->secret, block, ret_header) &&
            (*ret_header & SEALED_FREE) != 0 &&
            sealed_extent_is_inside(block, *ret_header, core->end)) ||
           sealed_record_corrupt(heap, block);
}

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

/* Look at up to `looks` blocks of one bin. NULL: no block fits. *ret_units is the length of the
 * last one. */
static uint8_t *search_bin(struct heap *heap, unsigned bin, unsigned looks, size_t units,
                           size_t alignment_bytes, size_t *ret_units, size_t *ret_gap_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint64_t header;
    uint32_t place = core->bins[bin];
    for (; place != 0 && looks != 0; looks--) {
        uint8_t *block = fast_block_at(core, place);
        if (!read_free(heap, block, &header))
            return NULL;
        *ret_units = sealed_units(header);
        if (fits(block, *ret_units, units, alignment_bytes, ret_gap_units))
            return block;
        place = fast_links_of(block)->next;
        if (!fast_place_is_possible(core, place)) {
            (void)sealed_record_corrupt(heap, block);
            return NULL;
        }
    }
    return NULL;
}

/* As search_bin(), for the first block of a bin that is not empty. */
static inline uint8_t *look_at_first(struct heap *heap, unsigned bin, size_t units,
                                     size_t alignment_bytes, size_t *ret_units,
                                     size_t *ret_gap_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint64_t header;
    uint8_t *block = fast_block_at(core, core->bins[bin]);
    if (!read_free(heap, block, &header))
        return NULL;
    *ret_units = sealed_units(header);
    return fits(block, *ret_units, units, alignment_bytes, ret_gap_units) ? block : NULL;
}

/* Return a free block with room for the request. The smallest bin is first, the top is last. */
static uint8_t *find_aligned(struct heap *heap, size_t units, size_t alignment_bytes,
                             size_t *ret_units, size_t *ret_gap_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    unsigned own_bin = fast_bin_of(units);
    uint8_t *block = NULL;
    /* A bin's blocks differ by a 32nd at most, so they have no room for a longer gap. */
    if (core->bins[own_bin] != 0 &&
        sealed_gap_units(fast_block_at(core, core->bins[own_bin]), alignment_bytes) <= units / 32)
        block = look_at_first(heap, own_bin, units, alignment_bytes, ret_units, ret_gap_units);
    if (block != NULL || heap->is_corrupt)
        return block;

    size_t enough_units = alignment_bytes == SEALED_UNIT_BYTES
                              ? units
                              : units + alignment_bytes / SEALED_UNIT_BYTES + 1;
    unsigned bin = fast_bin_not_empty(core, fast_bin_above(enough_units));
    if (bin < FAST_BIN_COUNT)
        return look_at_first(heap, bin, units, alignment_bytes, ret_units, ret_gap_units);

    *ret_units = core->top_units;
    if (fits(core->top, core->top_units, units, alignment_bytes, ret_gap_units))
        return core->top;
    return search_bin(heap, own_bin, FAST_BIN_LAST_LOOKS, units, alignment_bytes, ret_units,
                      ret_gap_units);
}

bool fast_core_has_room(struct heap *heap, size_t size_bytes)
{
    size_t found_units;
    size_t gap_units;
    return find_aligned(heap, fast_units_for(size_bytes), SEALED_UNIT_BYTES, &found_units,
                        &gap_units) != NULL;
}

/* --- Taking ----------------------------------------------------------------------------------- */

static inline void take_from_top(struct heap *heap, uint8_t *end)
{
    heap_zero_set_written(heap, end);
    set_top(&fast_of(heap)->core, end);
}

/* Take a free block out of its bin, for a block inside of it. The rest behind that block becomes
 * free. A rest that is too short stays part of the block. */
static inline bool cut_from_bin(struct heap *heap, uint8_t *source, size_t source_units,
                                uint8_t *block, size_t *units)
{
    uint8_t *behind = sealed_next(block, *units);
    size_t rest_units = source_units - (size_t)(behind - source) / SEALED_UNIT_BYTES;
    if (!fast_bin_remove(heap, source, source_units))
        return false;
    if (rest_units >= FAST_MINIMUM_UNITS)
        return make_free(heap, behind, rest_units);
    *units += rest_units;
    sealed_set_previous_free(sealed_next(behind, rest_units), false);
    return true;
}

uint8_t *fast_core_take_aligned(struct heap *heap, size_t units, size_t alignment_bytes,
                                uint64_t *ret_header)
{
    struct fast_state *fast = fast_of(heap);
    size_t found_units;
    size_t gap_units;
    uint8_t *source = find_aligned(heap, units, alignment_bytes, &found_units, &gap_units);
    if (source == NULL)
        return NULL;

    uint8_t *block = sealed_next(source, gap_units);
    if (source == fast->core.top)
        take_from_top(heap, sealed_next(block, units));
    else if (!cut_from_bin(heap, source, found_units, block, &units))
        return NULL;
    if (gap_units != 0 && !make_free(heap, source, gap_units))
        return NULL;
    fast_absent_count_taken(fast);
    *ret_header = sealed_header(units, SEALED_LIVE) | sealed_alignment_field(alignment_bytes) |
                  (gap_units != 0 ? SEALED_PREVIOUS_FREE : 0);
    return block;
}

size_t fast_core_reach_units(const struct fast_core *core, const uint8_t *block)
{
    uint64_t header = sealed_header_word(block);
    size_t units = sealed_units(header);
    if (!sealed_extent_is_inside(block, header, core->end))
        return 0;
    if ((header & SEALED_PREVIOUS_FREE) != 0)
        units += sealed_units(*(const uint64_t *)sealed_footer_before(block));
    uint64_t next = sealed_header_word(sealed_next(block, sealed_units(header)));
    return units + ((next & SEALED_FREE) != 0 ? sealed_units(next) : 0);
}

/* Take `units` from the first block of the bin, which has this header. No block: the heap is corrupt,
 * and the fault is recorded. */
static inline struct fast_taken cut_first(struct heap *heap, unsigned bin, uint64_t header,
                                          size_t units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    const struct fast_taken none = {.block = NULL};
    uint8_t *block = fast_block_at(core, core->bins[bin]);
    size_t rest_units = sealed_units(header) - units;
    if (sealed_units(header) < units || !fast_bin_remove_first(heap, bin, sealed_units(header))) {
        (void)sealed_record_corrupt(heap, block);
        return none;
    }
    fast_absent_count_taken(fast_of(heap));
    if (rest_units < FAST_MINIMUM_UNITS) {
        units += rest_units;
        sealed_set_previous_free(sealed_next(block, units), false);
    } else if (!make_free(heap, sealed_next(block, units), rest_units)) {
        return none;
    }
    return (struct fast_taken){.block = block, .units = units};
}

/* Read the header of the bin's first block. False: the bin is empty, or the heap is corrupt. */
static inline bool read_first(struct heap *heap, unsigned bin, uint64_t *ret_header)
{
    const struct fast_core *core = &fast_of(heap)->core;
    return core->bins[bin] != 0 &&
           read_free(heap, fast_block_at(core, core->bins[bin]), ret_header);
}

/* Any block of a larger bin has room. */
struct fast_taken fast_core_take(struct heap *heap, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    const struct fast_taken none = {.block = NULL};
    uint64_t header;
    unsigned bin = fast_bin_of(units);
    if (read_first(heap, bin, &header) && sealed_units(header) >= units)
        return cut_first(heap, bin, header, units);
    bin = fast_bin_not_empty(core, bin + 1);
    if (bin < FAST_BIN_COUNT)
        return read_first(heap, bin, &header) ? cut_first(heap, bin, header, units) : none;
    uint8_t *block = core->top;
    if (units > core->top_units || heap->is_corrupt)
        return none;
    take_from_top(heap, sealed_next(block, units));
    return (struct fast_taken){.block = block, .units = units};
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Take the free block behind out of its bin, or out of the top, so that the block before it can
 * include it. On true *ret_units is its size, or 0 if the block behind is not free. */
static inline bool detach_next(struct heap *heap, uint8_t *next, size_t *ret_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint64_t header;
    *ret_units = 0;
    if (!sealed_read_header(core->secret, next, &header))
        return sealed_record_corrupt(heap, next);
    if ((header & SEALED_FREE) == 0)
        return true;
    if (next != core->top && (!sealed_extent_is_inside(next, header, core->end) ||
                              !fast_bin_remove(heap, next, sealed_units(header))))
        return sealed_record_corrupt(heap, next);
    sealed_wipe_header(next);
    *ret_units = sealed_units(header);
    return true;
}

/* Find the free block that ends at `block`. *ret_units is its size. NULL: its header or its footer
 * was overwritten; the fault is recorded. */
static inline uint8_t *find_previous(struct heap *heap, uint8_t *block, size_t *ret_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint64_t header;
    uint64_t footer = *(const uint64_t *)sealed_footer_before(block);
    size_t units = sealed_units(footer);
    if (units - 1 < fast_place_of(core, block) - 1) {
        uint8_t *previous = block - units * SEALED_UNIT_BYTES;
        *ret_units = units;
        if (sealed_header_word(previous) == footer &&
            sealed_read_header(core->secret, previous, &header) && (header & SEALED_FREE) != 0)
            return previous;
        block = previous;
    }
    (void)sealed_record_corrupt(heap, block);
    return NULL;
}

bool fast_core_detach(struct heap *heap, uint8_t *block, size_t units)
{
    sealed_set_previous_free(sealed_next(block, units), false);
    return fast_bin_remove(heap, block, units);
}

/* Let the free block before `block`, which ends at `end`, reach to the end. */
static bool extend_previous(struct heap *heap, uint8_t *block, uint8_t *end)
{
    struct fast_core *core = &fast_of(heap)->core;
    size_t units;
    uint8_t *previous = find_previous(heap, block, &units);
    if (previous == NULL)
        return false;
    sealed_wipe_header(block);
    if (end != core->end)
        return resize_free(heap, previous, units, (size_t)(end - previous) / SEALED_UNIT_BYTES);
    if (!fast_bin_remove(heap, previous, units))
        return false;
    set_top(core, previous);
    return true;
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
    if (next_units == 0)
        sealed_set_previous_free(next, true);
    uint8_t *end = reaches_top ? core->end : sealed_next(next, next_units);
    if ((header & SEALED_PREVIOUS_FREE) != 0)
        return extend_previous(heap, block, end);
    if (!reaches_top)
        return make_free(heap, block, (size_t)(end - block) / SEALED_UNIT_BYTES);
    set_top(core, block);
    return true;
}

bool fast_core_add(struct heap *heap, uint8_t *block, size_t units)
{
    fast_absent_count_freed(fast_of(heap), units);
    return make_free(heap, block, units);
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

/* Extend the block into the free memory behind it, which is detached and has `next_units`. */
static bool extend_into(struct heap *heap, uint8_t *block, size_t units, size_t next_units,
                        uint64_t *header)
{
    size_t reached_units = sealed_units(*header) + next_units;
    if (reached_units - units >= FAST_MINIMUM_UNITS) {
        *header = sealed_with_units(*header, units);
        return make_free(heap, sealed_next(block, units), reached_units - units);
    }
    *header = sealed_with_units(*header, reached_units);
    sealed_set_previous_free(sealed_next(block, reached_units), false);
    return true;
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
    return extend_into(heap, block, units, next_units, header);
}
