#include "kernel/mm/heap/policies/fast_core.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_take.h"

/* --- Free blocks ------------------------------------------------------------------------------ */

/* Let memory between two blocks in use be a free block. It is in `bin_units` already. */
static inline __attribute__((always_inline)) bool make_free(struct heap *heap, uint8_t *block,
                                                            uint32_t place, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    fast_take_write_free(core, block, units);
    uint8_t *fault = fast_bin_put(core, fast_bin_of(units), block, place);
    return fault == NULL || sealed_record_overwritten(heap, fault);
}

/* Let the top begin at `block`. It ends at the end marker, and may be empty. */
static inline void set_top(struct fast_core *core, uint8_t *block)
{
    core->top = block;
    core->top_units = (size_t)(core->end - block) / SEALED_UNIT_BYTES;
    if (core->top_units != 0)
        *(uint64_t *)(void *)(block - SEALED_HEADER_BYTES) =
            sealed_free_word(core->secret, block, core->top_units);
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

/* As fast_take_read(). False: the fault is recorded. */
static inline bool read_free(struct heap *heap, uint32_t place, size_t *ret_units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    return fast_take_read(core, place, ret_units) ||
           sealed_record_corrupt(heap, fast_block_at(core, place));
}

/* A part of a free block, and the bin of that block. */
struct found {
    uint8_t *source;
    uint32_t place; /* of the source */
    unsigned bin;
    size_t source_units;
    size_t gap_units; /* of the source, before the part */
};

/* Find the first aligned part of `units` in a free block. The rest before it is empty, or large
 * enough for a block. False: it does not fit. */
static inline bool fits(struct found *found, size_t units, size_t alignment_bytes)
{
    found->gap_units = sealed_gap_units(found->source, alignment_bytes);
    if (found->gap_units == 1)
        found->gap_units += alignment_bytes / SEALED_UNIT_BYTES;
    return found->gap_units <= found->source_units &&
           units <= found->source_units - found->gap_units;
}

/* Look at the first block of a bin that is not empty. False: it has no room for the request, or it
 * is corrupt. */
static inline bool look_at_first(struct heap *heap, struct found *found, size_t units,
                                 size_t alignment_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint32_t place = core->bins[found->bin];
    found->place = place;
    found->source = fast_block_at(core, place);
    return read_free(heap, place, &found->source_units) && fits(found, units, alignment_bytes);
}

/* The same for up to FAST_BIN_LAST_LOOKS blocks of any bin. */
static __attribute__((noinline)) bool search_bin(struct heap *heap, struct found *found,
                                                 size_t units, size_t alignment_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint32_t place = core->bins[found->bin];
    for (unsigned looks = FAST_BIN_LAST_LOOKS; place != 0 && looks != 0; looks--) {
        found->place = place;
        found->source = fast_block_at(core, place);
        if (!read_free(heap, place, &found->source_units))
            return false;
        if (fits(found, units, alignment_bytes))
            return true;
        place = fast_links_of(found->source)->next;
        if (!fast_place_is_possible(core, place))
            return sealed_record_corrupt(heap, found->source);
    }
    return false;
}

/* Find a first block of a bin that has room for the request. The smallest bin is first. */
static inline bool find_first(struct heap *heap, struct found *found, size_t units,
                              size_t alignment_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    uint32_t place = core->bins[found->bin = fast_bin_of(units)];
    /* A bin's blocks differ by an eighth at most, so they have no room for a longer gap. */
    bool is_near = sealed_gap_units(fast_block_at(core, place), alignment_bytes) <= units / 8;
    if ((place != 0) & is_near) {
        if (look_at_first(heap, found, units, alignment_bytes))
            return true;
        if (heap->is_corrupt)
            return false;
    }
    size_t more_units =
        alignment_bytes == SEALED_UNIT_BYTES ? 0 : alignment_bytes / SEALED_UNIT_BYTES + 1;
    return fast_bin_find(core, fast_bin_above(units + more_units), &found->bin) &&
           look_at_first(heap, found, units, alignment_bytes);
}

/* Find room in the top, or in one of more blocks of the request's bin. */
static bool find_last(struct heap *heap, struct found *found, size_t units, size_t alignment_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    found->source = core->top;
    found->place = fast_place_of(core, core->top);
    found->source_units = core->top_units;
    found->bin = fast_bin_of(units);
    return fits(found, units, alignment_bytes) || search_bin(heap, found, units, alignment_bytes);
}

bool fast_core_has_room(struct heap *heap, size_t size_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    size_t units = fast_units_for(size_bytes);
    struct found found = {.bin = fast_bin_of(units)};
    return core->top_units >= units || fast_bin_find(core, fast_bin_above(units), &found.bin) ||
           search_bin(heap, &found, units, SEALED_UNIT_BYTES);
}

/* --- Taking ----------------------------------------------------------------------------------- */

static inline void take_from_top(struct heap *heap, uint8_t *end)
{
    heap_zero_set_written(heap, end);
    set_top(&fast_of(heap)->core, end);
}

/* Return the header of a part that was found. */
static inline uint64_t header_of(const struct found *found, size_t units)
{
    return sealed_header(units, SEALED_LIVE) | (found->gap_units != 0 ? SEALED_PREVIOUS_FREE : 0);
}

/* Take the part of `units` out of a free block that is in no bin any more. The rests before and
 * behind it become free. A rest behind it that is too short stays part of the block. */
static inline __attribute__((always_inline)) uint8_t *
cut(struct heap *heap, const struct found *found, size_t units, uint64_t *ret_header)
{
    struct fast_core *core = &fast_of(heap)->core;
    uint8_t *block = sealed_next(found->source, found->gap_units);
    uint32_t place = found->place + (uint32_t)found->gap_units;
    size_t rest_units = found->source_units - found->gap_units - units;
    if (rest_units < FAST_MINIMUM_UNITS) {
        units += rest_units;
        sealed_toggle_previous_free(sealed_next(block, units));
    } else if (!make_free(heap, sealed_next(block, units), place + (uint32_t)units, rest_units)) {
        return NULL;
    }
    if (found->gap_units != 0 && !make_free(heap, found->source, found->place, found->gap_units))
        return NULL;
    core->bin_units -= units;
    fast_absent_count_taken(fast_of(heap));
    *ret_header = header_of(found, units);
    return block;
}

/* The same, from the top. */
static inline uint8_t *cut_top(struct heap *heap, const struct found *found, size_t units,
                               uint64_t *ret_header)
{
    uint8_t *block = sealed_next(found->source, found->gap_units);
    take_from_top(heap, sealed_next(block, units));
    fast_of(heap)->core.bin_units += found->gap_units;
    if (found->gap_units != 0 && !make_free(heap, found->source, found->place, found->gap_units))
        return NULL;
    *ret_header = header_of(found, units);
    return block;
}

/* As fast_core_take_aligned(), if no first block of a bin has room. */
static __attribute__((noinline)) uint8_t *
take_aligned_last(struct heap *heap, size_t units, size_t alignment_bytes, uint64_t *ret_header)
{
    struct found found;
    if (heap->is_corrupt || !find_last(heap, &found, units, alignment_bytes))
        return NULL;
    struct fast_core *core = &fast_of(heap)->core;
    if (found.source == core->top)
        return cut_top(heap, &found, units, ret_header);
    if (fast_bin_drop(core, found.source_units, found.source, found.place))
        return cut(heap, &found, units, ret_header);
    (void)sealed_record_corrupt(heap, found.source);
    return NULL;
}

uint8_t *fast_core_take_aligned(struct heap *heap, size_t units, size_t alignment_bytes,
                                uint64_t *ret_header)
{
    struct found found;
    if (!find_first(heap, &found, units, alignment_bytes))
        return take_aligned_last(heap, units, alignment_bytes, ret_header);
    if (fast_bin_drop_first(&fast_of(heap)->core, found.bin, found.source, found.place))
        return cut(heap, &found, units, ret_header);
    (void)sealed_record_corrupt(heap, found.source);
    return NULL;
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

struct fast_taken fast_core_take_top(struct heap *heap, size_t units)
{
    const struct fast_core *core = &fast_of(heap)->core;
    struct fast_taken taken = {.block = core->top, .units = units};
    if (units > core->top_units)
        return (struct fast_taken){.block = NULL};
    take_from_top(heap, sealed_next(core->top, units));
    return taken;
}

struct fast_taken fast_core_take(struct heap *heap, size_t units)
{
    struct fast_taken taken = fast_take_first(fast_of(heap), units);
    if (taken.units != 0)
        return taken;
    if (taken.block == NULL)
        return fast_core_take_top(heap, units);
    (void)sealed_record_overwritten(heap, taken.block);
    return (struct fast_taken){.block = NULL};
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Find the free block that ends at `block`. *ret_units is its size. False: its header or its footer
 * was overwritten, and the fault is at *ret_previous. */
static inline bool find_previous(const struct fast_core *core, uint8_t *block, uint32_t place,
                                 uint8_t **ret_previous, size_t *ret_units)
{
    uint64_t footer = *(const uint64_t *)sealed_footer_before(block);
    size_t units = sealed_units(footer);
    *ret_units = units;
    *ret_previous = block;
    if (units >= place)
        return false;
    *ret_previous = block - units * SEALED_UNIT_BYTES;
    return sealed_header_word(*ret_previous) == footer &&
           sealed_is_free_word(core->secret, *ret_previous, footer);
}

bool fast_core_detach(struct heap *heap, uint8_t *block, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    core->bin_units -= units;
    sealed_toggle_previous_free(sealed_next(block, units));
    return fast_bin_drop(core, units, block, fast_place_of(core, block)) ||
           sealed_record_overwritten(heap, block);
}

/* Free a block before the top, or before the end if the top is empty. */
static __attribute__((noinline)) bool release_into_top(struct heap *heap, uint8_t *block,
                                                       uint64_t header, uint32_t place)
{
    struct fast_core *core = &fast_of(heap)->core;
    if (core->top_units != 0)
        sealed_wipe_header(core->top);
    if ((header & SEALED_PREVIOUS_FREE) != 0) {
        size_t units;
        uint8_t *previous;
        if (!find_previous(core, block, place, &previous, &units) ||
            !fast_bin_drop(core, units, previous, place - (uint32_t)units))
            return sealed_record_overwritten(heap, previous);
        core->bin_units -= units;
        sealed_wipe_header(block);
        block = previous;
    }
    set_top(core, block);
    return true;
}

/* These free `units` at `block`. Each one ends with the call of the next, so nothing must be kept
 * for the time after a call. The units are in `bin_units` already. */

/* Between two blocks that are in use. */
static __attribute__((noinline)) bool release_between(struct heap *heap, uint8_t *block,
                                                      size_t units, uint32_t place)
{
    return make_free(heap, block, place, units);
}

/* Behind a free block, and not before one. */
static __attribute__((noinline)) bool release_behind_free(struct heap *heap, uint8_t *block,
                                                          size_t units, uint32_t place)
{
    struct fast_core *core = &fast_of(heap)->core;
    size_t previous_units;
    uint8_t *previous;
    if (!find_previous(core, block, place, &previous, &previous_units))
        return sealed_record_overwritten(heap, previous);
    sealed_wipe_header(block);
    place -= (uint32_t)previous_units;
    units += previous_units;
    if (fast_bin_is_same(previous_units, units)) {
        fast_take_write_free(core, previous, units);
        return true;
    }
    if (!fast_bin_drop(core, previous_units, previous, place))
        return sealed_record_overwritten(heap, previous);
    return release_between(heap, previous, units, place);
}

/* Before the free block `next` of `next_units`. */
static __attribute__((noinline)) bool release_before_free(struct heap *heap, uint8_t *block,
                                                          uint64_t header, uint32_t place,
                                                          size_t next_units)
{
    struct fast_core *core = &fast_of(heap)->core;
    size_t units = sealed_units(header);
    uint8_t *next = sealed_next(block, units);
    uint32_t next_place = place + (uint32_t)units;
    if (next_units - 1 >= core->end_place - next_place)
        return sealed_record_overwritten(heap, next);
    sealed_wipe_header(next);
    units += next_units;
    if (!fast_bin_drop(core, next_units, next, next_place))
        return sealed_record_overwritten(heap, fast_block_at(core, next_place));
    return (header & SEALED_PREVIOUS_FREE) != 0 ? release_behind_free(heap, block, units, place)
                                                : release_between(heap, block, units, place);
}

/* The header of the block behind is read even if that block stays as it is: so an overrun is
 * found. */
bool fast_core_release(struct heap *heap, uint8_t *block, uint64_t header)
{
    uint64_t next_header;
    struct fast_core *core = &fast_of(heap)->core;
    size_t units = sealed_units(header);
    uint8_t *next = sealed_next(block, units);
    uint32_t place = fast_place_of(core, block);
    fast_absent_count_freed(fast_of(heap), units);
    if (!sealed_read_header(core->secret, next, &next_header))
        return sealed_record_overwritten(heap, next);
    if (next == core->top)
        return release_into_top(heap, block, header, place);
    core->bin_units += units;
    if ((next_header & SEALED_FREE) != 0)
        return release_before_free(heap, block, header, place, sealed_units(next_header));
    sealed_toggle_previous_free(next);
    return (header & SEALED_PREVIOUS_FREE) != 0 ? release_behind_free(heap, block, units, place)
                                                : release_between(heap, block, units, place);
}

bool fast_core_add(struct heap *heap, uint8_t *block, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    fast_absent_count_freed(fast_of(heap), units);
    core->bin_units += units;
    return make_free(heap, block, fast_place_of(core, block), units);
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

/* Extend the block into the free block behind it. */
static bool extend_into(struct heap *heap, uint8_t *block, size_t units, uint64_t next_header,
                        uint64_t *header)
{
    struct fast_core *core = &fast_of(heap)->core;
    uint8_t *next = sealed_next(block, sealed_units(*header));
    size_t next_units = sealed_units(next_header);
    size_t reached_units = sealed_units(*header) + next_units;
    if (!sealed_extent_is_inside(next, next_header, core->end) ||
        !fast_bin_drop(core, next_units, next, fast_place_of(core, next)))
        return sealed_record_corrupt(heap, next);
    sealed_wipe_header(next);
    core->bin_units -= next_units;
    size_t rest_units = reached_units - units;
    if (rest_units >= FAST_MINIMUM_UNITS) {
        uint8_t *rest = sealed_next(block, units);
        *header = sealed_with_units(*header, units);
        core->bin_units += rest_units;
        return make_free(heap, rest, fast_place_of(core, rest), rest_units);
    }
    *header = sealed_with_units(*header, reached_units);
    sealed_toggle_previous_free(sealed_next(block, reached_units));
    return true;
}

bool fast_core_expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header)
{
    struct fast_core *core = &fast_of(heap)->core;
    uint8_t *next = sealed_next(block, sealed_units(*header));
    uint64_t next_header;
    if (!sealed_read_header(core->secret, next, &next_header))
        return sealed_record_corrupt(heap, next);
    size_t more_units = units - sealed_units(*header);
    if (next != core->top)
        return (next_header & SEALED_FREE) != 0 && sealed_units(next_header) >= more_units &&
               extend_into(heap, block, units, next_header, header);
    if (!grow_top(heap, more_units))
        return false;
    sealed_wipe_header(next);
    *header = sealed_with_units(*header, units);
    heap_zero_set_written(heap, sealed_next(block, units));
    set_top(core, sealed_next(block, units));
    return true;
}
