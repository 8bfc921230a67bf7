/*
 * A list of the free blocks in order of address; the first one that fits is used.
 *
 *   base         free_list                                                      end
 *   | 8 |header| payload |header|link|    |header| payload |header|link|       |header|
 *         live             free  |          live             free  |             end marker
 *                                +---------------------------------+--> NULL
 *
 * Blocks are sealed (sealed_block.h). A free one is a node of 16 bytes, header and link; the link
 * is a sealed word as well, with the next node's distance from the base in units. An allocation
 * walks the list until a block is large enough, and splits it. A free walks the list to the block's
 * position, and merges the block with the nodes before and behind it if they touch. The time of
 * both is linear in the number of free blocks, so this policy is slow. The list's order keeps its
 * free memory together.
 */
#include "kernel/mm/heap/policies/first_fit.h"

#include "kernel/mm/heap/policy.h"
#include "kernel/mm/heap/policies/sealed_block.h"

static uint8_t *base_of(const struct heap *heap)
{
    return heap->base;
}

static uint8_t *first_of(const struct heap *heap)
{
    return base_of(heap) + SEALED_UNIT_BYTES;
}

/* --- Nodes ------------------------------------------------------------------------------------ */

static void write_node(const struct heap *heap, uint8_t *node, size_t units, const uint8_t *next)
{
    size_t distance = next == NULL ? 0 : (size_t)(next - base_of(heap)) / SEALED_UNIT_BYTES;
    sealed_write_header(first_fit_of(heap)->secret, node, sealed_header(units, SEALED_FREE));
    sealed_write_word(first_fit_of(heap)->secret, node, sealed_header(distance, 0));
}

/* False if header or link were overwritten. */
static bool read_node(const struct heap *heap, const uint8_t *node, size_t *ret_units,
                      uint8_t **ret_next)
{
    uint64_t header, link;
    const struct first_fit_state *state = first_fit_of(heap);
    if (!sealed_read_header(state->secret, node, &header) || (header & SEALED_FREE) == 0 ||
        !sealed_extent_is_inside(node, header, state->end) ||
        !sealed_read_word(state->secret, node, &link))
        return false;
    *ret_units = sealed_units(header);
    size_t distance = sealed_units(link);
    *ret_next = distance == 0 ? NULL : base_of(heap) + distance * SEALED_UNIT_BYTES;
    return true;
}

/* Link `previous` to `next`. If `previous` is NULL, link the list's head. */
static bool set_link(struct heap *heap, uint8_t *previous, uint8_t *next)
{
    size_t units;
    uint8_t *old_next;
    if (previous == NULL) {
        first_fit_of(heap)->free_list = next;
        return true;
    }
    if (!read_node(heap, previous, &units, &old_next))
        return sealed_record_corrupt(heap, previous);
    write_node(heap, previous, units, next);
    return true;
}

/* A position in the list: a node (NULL at the end), its size, and its neighbours there. */
struct cursor {
    uint8_t *previous;
    size_t previous_units;
    uint8_t *node;
    size_t units;
    uint8_t *next;
};

static bool cursor_load(struct heap *heap, struct cursor *cursor)
{
    if (cursor->node == NULL)
        return true;
    if (!read_node(heap, cursor->node, &cursor->units, &cursor->next))
        return sealed_record_corrupt(heap, cursor->node);
    return true;
}

static bool cursor_begin(struct heap *heap, struct cursor *ret_cursor)
{
    *ret_cursor = (struct cursor){.node = first_fit_of(heap)->free_list};
    return cursor_load(heap, ret_cursor);
}

static bool cursor_advance(struct heap *heap, struct cursor *cursor)
{
    cursor->previous = cursor->node;
    cursor->previous_units = cursor->units;
    cursor->node = cursor->next;
    return cursor_load(heap, cursor);
}

/* Move to the first node behind `block`. */
static bool cursor_seek(struct heap *heap, const uint8_t *block, struct cursor *ret_cursor)
{
    if (!cursor_begin(heap, ret_cursor))
        return false;
    while (ret_cursor->node != NULL && ret_cursor->node < block) {
        if (!cursor_advance(heap, ret_cursor))
            return false;
    }
    return true;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* Replace the cursor's node by its rests before and behind the block. */
static bool cut(struct heap *heap, const struct cursor *cursor, size_t gap_units, size_t units)
{
    uint8_t *next = cursor->next;
    size_t rest_units = cursor->units - gap_units - units;
    uint8_t *rest = sealed_next(cursor->node, gap_units + units);
    if (rest_units != 0) {
        write_node(heap, rest, rest_units, next);
        next = rest;
    }
    if (gap_units == 0)
        return set_link(heap, cursor->previous, next);
    write_node(heap, cursor->node, gap_units, next);
    return true;
}

static void *first_fit_allocate(struct heap *heap, const struct heap_request *request)
{
    struct cursor cursor;
    size_t units = sealed_units_for(request->size_bytes);
    if (!cursor_begin(heap, &cursor))
        return NULL;
    while (cursor.node != NULL) {
        size_t gap_units = sealed_gap_units(cursor.node, request->alignment_bytes);
        if (gap_units <= cursor.units && units <= cursor.units - gap_units) {
            if (!cut(heap, &cursor, gap_units, units))
                return NULL;
            uint8_t *block = sealed_next(cursor.node, gap_units);
            sealed_make_live(first_fit_of(heap)->secret, block,
                             sealed_header(units, 0) |
                                 sealed_alignment_field(request->alignment_bytes),
                             request->size_bytes);
            return block;
        }
        if (!cursor_advance(heap, &cursor))
            return NULL;
    }
    return NULL;
}

/* --- Free ------------------------------------------------------------------------------------- */

static bool first_fit_validate(struct heap *heap, const void *block,
                               struct heap_block_info *ret_info)
{
    uint64_t header;
    const struct first_fit_state *state = first_fit_of(heap);
    if (!sealed_block_is_intact(state->secret, first_of(heap), state->end, block, &header))
        return sealed_record_fault_of(heap, state->secret, first_of(heap), state->end, block);
    ret_info->size_bytes = sealed_size(header);
    ret_info->alignment_bytes = sealed_alignment(header);
    return true;
}

/* Insert a block at its position in the list, and merge it with the nodes that it touches.
 * Precondition: it is on no list. */
static bool insert(struct heap *heap, uint8_t *block, size_t units)
{
    struct cursor cursor;
    if (!cursor_seek(heap, block, &cursor))
        return false;
    uint8_t *next = cursor.node;
    if (next != NULL && sealed_next(block, units) == next) {
        sealed_wipe_header(next);
        units += cursor.units;
        next = cursor.next;
    }
    if (cursor.previous != NULL && sealed_next(cursor.previous, cursor.previous_units) == block) {
        sealed_wipe_header(block);
        write_node(heap, cursor.previous, cursor.previous_units + units, next);
        return true;
    }
    write_node(heap, block, units, next);
    return set_link(heap, cursor.previous, block);
}

/* Precondition: `block` is live. */
static uint64_t header_of(const struct heap *heap, const uint8_t *block)
{
    uint64_t header = 0;
    (void)sealed_read_header(first_fit_of(heap)->secret, block, &header);
    return header;
}

static bool first_fit_release(struct heap *heap, void *block)
{
    size_t units = sealed_units(header_of(heap, block));
    if (units > 1)
        sealed_write_tombstone(block, sealed_header_word(block));
    return insert(heap, block, units);
}

/* Take the node behind the block, if it touches the block and is large enough. The rest of the node
 * stays free. */
static bool grow_in_place(struct heap *heap, uint8_t *block, size_t old_units, size_t units)
{
    struct cursor cursor;
    if (!cursor_seek(heap, block, &cursor) || cursor.node == NULL ||
        cursor.node != sealed_next(block, old_units) || cursor.units < units - old_units)
        return false;
    sealed_wipe_header(cursor.node);
    return cut(heap, &cursor, 0, units - old_units);
}

static bool first_fit_resize(struct heap *heap, void *block, const struct heap_request *request)
{
    uint64_t header = header_of(heap, block);
    size_t units = sealed_units_for(request->size_bytes);
    size_t old_units = sealed_units(header);
    if (units > old_units && !grow_in_place(heap, block, old_units, units))
        return false;
    header = sealed_with_units(header, units);
    if (units < old_units && !insert(heap, sealed_next(block, units), old_units - units))
        return false;
    sealed_make_live(first_fit_of(heap)->secret, block, header, request->size_bytes);
    return true;
}

static size_t first_fit_missing(const struct heap *heap, const void *block, size_t size_bytes)
{
    const struct first_fit_state *state = first_fit_of(heap);
    size_t units = sealed_units_for(size_bytes) - sealed_units(header_of(heap, block));
    uint8_t *next = sealed_next(block, sealed_units(header_of(heap, block)));
    uint64_t header;
    if (next == state->end)
        return units * SEALED_UNIT_BYTES;
    if (!sealed_read_header(state->secret, next, &header) || (header & SEALED_FREE) == 0 ||
        sealed_next(next, sealed_units(header)) != state->end)
        return 0;
    return (units - sealed_units(header)) * SEALED_UNIT_BYTES;
}

/* --- The heap's ends -------------------------------------------------------------------------- */

static void write_end(struct heap *heap, uint8_t *end)
{
    first_fit_of(heap)->end = end;
    sealed_write_header(first_fit_of(heap)->secret, end, sealed_header(0, SEALED_OWN));
}

static void first_fit_initialise(struct heap *heap)
{
    uint8_t *end = base_of(heap) + heap->size_bytes;
    first_fit_of(heap)->secret = sealed_begin_life(base_of(heap), heap->secret);
    first_fit_of(heap)->free_list = first_of(heap);
    write_node(heap, first_of(heap), (size_t)(end - first_of(heap)) / SEALED_UNIT_BYTES, NULL);
    write_end(heap, end);
}

/* The old end marker becomes the header of the new memory. */
static bool first_fit_extend(struct heap *heap, size_t additional_bytes)
{
    uint8_t *start = first_fit_of(heap)->end;
    write_end(heap, start + additional_bytes);
    return insert(heap, start, additional_bytes / SEALED_UNIT_BYTES);
}

/* The last node, if it reaches to the end; else NULL. */
static uint8_t *last_node(const struct heap *heap, size_t *ret_units)
{
    uint8_t *next = first_fit_of(heap)->free_list;
    uint8_t *node = NULL;
    *ret_units = 0;
    while (next != NULL) {
        node = next;
        if (!read_node(heap, node, ret_units, &next))
            return NULL;
    }
    return node != NULL && sealed_next(node, *ret_units) == first_fit_of(heap)->end ? node : NULL;
}

/* A node stays a node, even if little of it is left. */
static size_t first_fit_free_tail(const struct heap *heap)
{
    size_t units;
    return last_node(heap, &units) == NULL ? 0 : (units - 1) * SEALED_UNIT_BYTES;
}

static void first_fit_cut(struct heap *heap, size_t bytes)
{
    size_t units;
    uint8_t *node = last_node(heap, &units);
    write_node(heap, node, units - bytes / SEALED_UNIT_BYTES, NULL);
    write_end(heap, first_fit_of(heap)->end - bytes);
}

/* --- Looking at it ---------------------------------------------------------------------------- */

struct tally {
    struct heap_survey survey;
    size_t used_bytes;     /* requested sizes of the live blocks */
    const uint8_t *listed; /* the next free block on the list */
};

static const char *tally_free(const struct heap *heap, const uint8_t *block, struct tally *tally)
{
    size_t units;
    uint8_t *next;
    if (block != tally->listed || !read_node(heap, block, &units, &next))
        return "a free block is not on the list, or its link was overwritten";
    if (next == sealed_next(block, units))
        return "two free blocks touch";
    size_t bytes = sealed_capacity_bytes(units);
    tally->listed = next;
    tally->survey.free_block_count++;
    tally->survey.free_bytes += bytes;
    tally->survey.largest_free_bytes = larger(tally->survey.largest_free_bytes, bytes);
    return NULL;
}

static const char *tally_block(const struct heap *heap, const uint8_t *block, uint64_t header,
                               struct tally *tally)
{
    const struct first_fit_state *state = first_fit_of(heap);
    size_t units = sealed_units(header);
    if (units == 0 || units > (size_t)(state->end - block) / SEALED_UNIT_BYTES)
        return "a block reaches beyond the end";
    if ((header & SEALED_FREE) != 0)
        return tally_free(heap, block, tally);
    if (!sealed_end_is_intact(state->secret, block, header))
        return "the bytes behind a block were overwritten";
    tally->survey.live_block_count++;
    tally->used_bytes += sealed_size(header);
    return NULL;
}

/* Walk all blocks. Return NULL, or the problem of the first bad one. */
static const char *tally_blocks(const struct heap *heap, struct tally *ret_tally)
{
    const struct first_fit_state *state = first_fit_of(heap);
    uint64_t header;
    *ret_tally = (struct tally){.listed = state->free_list};
    for (const uint8_t *block = first_of(heap); block != state->end;) {
        if (!sealed_read_header(state->secret, block, &header))
            return "a header was overwritten";
        const char *problem = tally_block(heap, block, header, ret_tally);
        if (problem != NULL)
            return problem;
        block = sealed_next(block, sealed_units(header));
    }
    if (!sealed_read_header(state->secret, state->end, &header))
        return "the end marker was overwritten";
    return ret_tally->listed == NULL ? NULL
                                     : "the list has more entries than there are free blocks";
}

/* Stops at a corrupt block. The figures then cover only the memory before it. */
static void first_fit_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct tally tally;
    (void)tally_blocks(heap, &tally);
    *ret_survey = tally.survey;
}

static void first_fit_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const uint8_t *block = first_of(heap);
    uint64_t header;
    while (block < first_fit_of(heap)->end &&
           sealed_read_header(first_fit_of(heap)->secret, block, &header) &&
           sealed_units(header) != 0) {
        const struct heap_piece piece = sealed_piece(block, header);
        visit(context, &piece);
        block = sealed_next(block, sealed_units(header));
    }
}

static const char *first_fit_check(const struct heap *heap)
{
    struct tally tally;
    const char *problem = tally_blocks(heap, &tally);
    if (problem == NULL && tally.used_bytes != heap_policy_used_bytes(heap))
        problem = "the counters do not match the blocks";
    return problem;
}

#define STORAGE_BYTES (sizeof(struct heap) + sizeof(struct first_fit_state))

static const struct heap_policy_functions functions = {
    .minimum_extend_bytes = SEALED_UNIT_BYTES,
    .block_overhead_bytes = 2 * SEALED_UNIT_BYTES,
    .operations = &plain_operations,
    .plain =
        {
            .allocate = first_fit_allocate,
            .validate = first_fit_validate,
            .release = first_fit_release,
            .resize = first_fit_resize,
            .missing = first_fit_missing,
        },
    .initialise = first_fit_initialise,
    .extend = first_fit_extend,
    .free_tail = first_fit_free_tail,
    .cut = first_fit_cut,
    .survey = first_fit_survey,
    .walk = first_fit_walk,
    .check = first_fit_check,
};

_Static_assert(_Alignof(struct first_fit_state) <= _Alignof(struct heap), "it follows struct heap");
HEAP_ASSERT_STORAGE(STORAGE_BYTES, struct heap_first_fit_storage);

const struct heap_policy heap_policy_first_fit = {
    .name = "first-fit",
    .storage_bytes = STORAGE_BYTES,
    .minimum_bytes = 3 * SEALED_UNIT_BYTES,
    .maximum_bytes = SEALED_BYTES_MAX,
    .functions = &functions,
};
