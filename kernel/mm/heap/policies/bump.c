/*
 * One pointer that moves up: the next block begins where the last one ends.
 *
 *   base                                             next                        end
 *   | 8 |header| payload |header| payload |c| gap |header| free                |header|
 *         live            live                      top                         end marker
 *
 * Blocks are sealed (sealed_block.h), 8 bytes each. The newest block ends at `next`, so the order
 * of frees is validated without a list. An alignment may leave a gap. So may an older block that
 * shrinks. A gap is a free block, and its footer leads back over it. Two gaps never touch, and
 * there is no gap directly before `next`.
 */
#include "kernel/mm/heap/policies/bump.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policy.h"
#include "kernel/mm/heap/policies/sealed_block.h"

static uint8_t *first_of(const struct heap *heap)
{
    return (uint8_t *)heap->base + SEALED_UNIT_BYTES;
}

static size_t top_units(const struct bump_state *bump)
{
    return (size_t)(bump->end - bump->next) / SEALED_UNIT_BYTES;
}

/* The next block begins at `next`; the header there is the canary of the block before. */
static void set_next(struct bump_state *bump, uint8_t *next)
{
    bump->next = next;
    uint64_t flags = next == bump->end ? SEALED_OWN : SEALED_FREE;
    sealed_write_header(bump->secret, next, sealed_header(top_units(bump), flags));
}

/* The same. The word that was the header there is now invalid. */
static void move_next(struct bump_state *bump, uint8_t *next)
{
    if (bump->next != bump->end)
        sealed_wipe_header(bump->next);
    set_next(bump, next);
}

static void set_end(struct bump_state *bump, uint8_t *end)
{
    bump->end = end;
    sealed_write_header(bump->secret, end, sealed_header(0, SEALED_OWN));
    set_next(bump, bump->next);
}

/* --- Allocation and free ---------------------------------------------------------------------- */

static void *bump_allocate(struct heap *heap, const struct heap_request *request)
{
    struct bump_state *bump = bump_of(heap);
    uint8_t *gap = bump->next;
    size_t gap_units = sealed_gap_units(gap, request->alignment_bytes);
    size_t units = sealed_units_for(request->size_bytes);
    if (gap_units > top_units(bump) || units > top_units(bump) - gap_units)
        return NULL;

    uint8_t *block = sealed_next(gap, gap_units);
    set_next(bump, sealed_next(block, units));
    uint64_t header = sealed_header(units, 0) | sealed_alignment_field(request->alignment_bytes);
    if (gap_units != 0) {
        sealed_write_header(bump->secret, gap, sealed_header(gap_units, SEALED_FREE));
        sealed_write_word(bump->secret, sealed_footer_before(block), sealed_header(gap_units, 0));
        header |= SEALED_PREVIOUS_FREE;
    }
    sealed_make_live(bump->secret, block, header, request->size_bytes);
    bump->live_block_count++;
    return block;
}

static bool bump_validate(struct heap *heap, const void *block, struct heap_block_info *ret_info)
{
    uint64_t header;
    const struct bump_state *bump = bump_of(heap);
    if (!sealed_block_is_intact(bump->secret, first_of(heap), bump->next, block, &header))
        return sealed_record_fault_of(heap, bump->secret, first_of(heap), bump->end, block);
    ret_info->size_bytes = sealed_size(header);
    ret_info->alignment_bytes = sealed_alignment(header);
    return true;
}

/* Precondition: `block` is live. */
static uint64_t header_of(const struct heap *heap, const uint8_t *block)
{
    uint64_t header = 0;
    (void)sealed_read_header(bump_of(heap)->secret, block, &header);
    return header;
}

static bool bump_release(struct heap *heap, void *block)
{
    struct bump_state *bump = bump_of(heap);
    uint64_t header = header_of(heap, block);
    uint64_t footer = 0;
    if (sealed_next(block, sealed_units(header)) != bump->next) {
        const struct heap_fault fault = {
            .kind = HEAP_FAULT_BAD_POINTER,
            .detail = "the block is not the newest, and a bump heap frees in reverse order only",
            .pointer = block,
            .block = block,
            .size_bytes = sealed_size(header),
        };
        return heap_fault_record(heap, &fault);
    }
    if ((header & SEALED_PREVIOUS_FREE) != 0 &&
        !sealed_read_word(bump->secret, sealed_footer_before(block), &footer))
        return sealed_record_corrupt(heap, block);
    uint64_t header_word = sealed_header_word(block);
    sealed_wipe_header(block);
    move_next(bump, (uint8_t *)block - sealed_units(footer) * SEALED_UNIT_BYTES);
    if (sealed_next(block, 1) != bump->end)
        sealed_write_tombstone(block, header_word);
    bump->live_block_count--;
    return true;
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* Write a gap from `start` to the block `behind`. If it is empty, record in that block's header
 * that there is no gap. */
static void set_gap(struct bump_state *bump, uint8_t *start, uint8_t *behind,
                    uint64_t behind_header)
{
    size_t units = (size_t)(behind - start) / SEALED_UNIT_BYTES;
    behind_header &= ~SEALED_PREVIOUS_FREE;
    if (units != 0) {
        sealed_write_header(bump->secret, start, sealed_header(units, SEALED_FREE));
        sealed_write_word(bump->secret, sealed_footer_before(behind), sealed_header(units, 0));
        behind_header |= SEALED_PREVIOUS_FREE;
    }
    sealed_write_header(bump->secret, behind, behind_header);
}

/* The room of an older block: its own units and the gap behind it. */
static bool resize_older(struct heap *heap, uint8_t *block, size_t old_units, size_t units)
{
    struct bump_state *bump = bump_of(heap);
    uint8_t *gap = sealed_next(block, old_units);
    uint8_t *behind = gap;
    uint64_t header;
    bool is_sound = sealed_read_header(bump->secret, gap, &header);
    bool has_gap = is_sound && (header & SEALED_FREE) != 0;
    if (has_gap) {
        is_sound = sealed_extent_is_inside(gap, header, bump->next);
        behind = is_sound ? sealed_next(gap, sealed_units(header)) : gap;
        is_sound =
            is_sound && behind != bump->next && sealed_read_header(bump->secret, behind, &header);
    }
    if (!is_sound)
        return sealed_record_corrupt(heap, behind);
    if (units > (size_t)(behind - block) / SEALED_UNIT_BYTES)
        return false;
    if (has_gap)
        sealed_wipe_header(gap);
    set_gap(bump, sealed_next(block, units), behind, header);
    return true;
}

/* The room of the newest block includes all free memory. */
static bool resize_newest(struct bump_state *bump, uint8_t *block, size_t old_units, size_t units)
{
    if (units > old_units + top_units(bump))
        return false;
    move_next(bump, sealed_next(block, units));
    return true;
}

/* The newest block moves `next`; another one moves the start of the gap behind it. */
static bool bump_resize(struct heap *heap, void *block, const struct heap_request *request)
{
    struct bump_state *bump = bump_of(heap);
    uint64_t header = header_of(heap, block);
    size_t units = sealed_units_for(request->size_bytes);
    size_t old_units = sealed_units(header);
    bool is_newest = sealed_next(block, old_units) == bump->next;
    if (is_newest ? !resize_newest(bump, block, old_units, units)
                  : !resize_older(heap, block, old_units, units))
        return false;
    sealed_make_live(bump->secret, block, sealed_with_units(header, units), request->size_bytes);
    return true;
}

static size_t bump_missing(const struct heap *heap, const void *block, size_t size_bytes)
{
    const struct bump_state *bump = bump_of(heap);
    size_t old_units = sealed_units(header_of(heap, block));
    if (sealed_next(block, old_units) != bump->next)
        return 0;
    return (sealed_units_for(size_bytes) - old_units - top_units(bump)) * SEALED_UNIT_BYTES;
}

/* --- The heap's ends -------------------------------------------------------------------------- */

static void bump_initialise(struct heap *heap)
{
    struct bump_state *bump = bump_of(heap);
    uint8_t *base = heap->base;
    *bump = (struct bump_state){
        .secret = sealed_begin_life(base, heap->secret),
        .next = first_of(heap),
    };
    set_end(bump, base + heap->size_bytes);
}

static bool bump_extend(struct heap *heap, size_t additional_bytes)
{
    set_end(bump_of(heap), bump_of(heap)->end + additional_bytes);
    return true;
}

static size_t bump_free_tail(const struct heap *heap)
{
    return top_units(bump_of(heap)) * SEALED_UNIT_BYTES;
}

static void bump_cut(struct heap *heap, size_t bytes)
{
    set_end(bump_of(heap), bump_of(heap)->end - bytes);
}

/* --- Looking at it ---------------------------------------------------------------------------- */

/* Gaps count as overhead, since no block can be allocated from them. */
static void bump_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    size_t units = top_units(bump_of(heap));
    *ret_survey = (struct heap_survey){.live_block_count = bump_of(heap)->live_block_count};
    if (units == 0)
        return;
    ret_survey->free_block_count = 1;
    ret_survey->free_bytes = sealed_capacity_bytes(units);
    ret_survey->largest_free_bytes = ret_survey->free_bytes;
}

/* A gap is free memory, but no block can be allocated from it. */
static void bump_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct bump_state *bump = bump_of(heap);
    const uint8_t *block = first_of(heap);
    uint64_t header;
    while (block < bump->next && sealed_read_header(bump->secret, block, &header) &&
           sealed_units(header) != 0) {
        struct heap_piece piece = sealed_piece(block, header);
        if (piece.kind == HEAP_PIECE_FREE)
            piece.kind = HEAP_PIECE_OWN;
        visit(context, &piece);
        block = sealed_next(block, sealed_units(header));
    }
    size_t units = top_units(bump);
    const struct heap_piece rest = {.kind = HEAP_PIECE_FREE,
                                    .start = bump->next,
                                    .extent_bytes = units == 0 ? 0 : sealed_capacity_bytes(units)};
    if (block == bump->next && units != 0)
        visit(context, &rest);
}

/* The figures that a walk over all blocks finds. */
struct tally {
    size_t live_block_count;
    size_t used_bytes;
    size_t gap_units; /* of the piece before, if this is a gap; else 0 */
};

static const char *check_piece(const struct bump_state *bump, const uint8_t *block, uint64_t header,
                               struct tally *tally)
{
    uint64_t footer = 0;
    bool is_gap = (header & SEALED_LIVE) == 0;
    bool is_behind_gap = (header & SEALED_PREVIOUS_FREE) != 0;
    if (is_behind_gap && !sealed_read_word(bump->secret, sealed_footer_before(block), &footer))
        return "the footer of a gap was overwritten";
    if (sealed_units(footer) != tally->gap_units)
        return "a block does not match the gap before it";
    if (is_gap && tally->gap_units != 0)
        return "two gaps touch";
    tally->gap_units = is_gap ? sealed_units(header) : 0;
    if (is_gap)
        return NULL;
    tally->live_block_count++;
    tally->used_bytes += sealed_size(header);
    return sealed_end_is_intact(bump->secret, block, header)
               ? NULL
               : "the bytes behind a block were overwritten";
}

static const char *bump_check(const struct heap *heap)
{
    const struct bump_state *bump = bump_of(heap);
    struct tally tally = {0};
    const uint8_t *block = first_of(heap);
    uint64_t header;
    while (block < bump->next) {
        if (!sealed_read_header(bump->secret, block, &header))
            return "a header was overwritten";
        if (!sealed_extent_is_inside(block, header, bump->next))
            return "a block reaches beyond the newest one";
        const char *problem = check_piece(bump, block, header, &tally);
        if (problem != NULL)
            return problem;
        block = sealed_next(block, sealed_units(header));
    }
    if (!sealed_read_header(bump->secret, bump->next, &header) ||
        !sealed_read_header(bump->secret, bump->end, &header))
        return "the header of the free memory, or the end marker, was overwritten";
    if (block != bump->next || tally.gap_units != 0)
        return "the newest block does not end at the next one";
    if (tally.live_block_count != bump->live_block_count ||
        tally.used_bytes != heap_policy_used_bytes(heap))
        return "the counters do not match the blocks";
    return NULL;
}

#define STORAGE_BYTES (sizeof(struct heap) + sizeof(struct bump_state))

static const struct heap_policy_functions functions = {
    .minimum_extend_bytes = SEALED_UNIT_BYTES,
    .block_overhead_bytes = 2 * SEALED_UNIT_BYTES,
    .operations = &plain_operations,
    .plain =
        {
            .allocate = bump_allocate,
            .validate = bump_validate,
            .release = bump_release,
            .resize = bump_resize,
            .missing = bump_missing,
        },
    .initialise = bump_initialise,
    .extend = bump_extend,
    .free_tail = bump_free_tail,
    .cut = bump_cut,
    .survey = bump_survey,
    .walk = bump_walk,
    .check = bump_check,
};

_Static_assert(_Alignof(struct bump_state) <= _Alignof(struct heap), "it follows struct heap");
HEAP_ASSERT_STORAGE(STORAGE_BYTES, struct heap_bump_storage);

const struct heap_policy heap_policy_bump = {
    .name = "bump",
    .frees_newest_only = true,
    .storage_bytes = STORAGE_BYTES,
    .minimum_bytes = 3 * SEALED_UNIT_BYTES,
    .maximum_bytes = SEALED_BYTES_MAX,
    .functions = &functions,
};
