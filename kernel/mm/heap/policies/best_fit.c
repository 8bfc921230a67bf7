/*
 * Doubly linked segments; the smallest one that fits is used.
 *
 *   first                                                                          end marker
 *   +--------+---------+--------+-------------------+--------+----------------+--------+
 *   | header | payload | header | payload           | header | payload        | header |
 *   +--------+---------+--------+-------------------+--------+----------------+--------+
 *    used      ^ block   free     links | free        used     data  | canary  end
 *
 * Segments lie back to back and cover the whole heap. Each header holds the distance to its
 * neighbours on both sides, so a block that is freed merges with a free neighbour at once, and two
 * free segments never touch. Links in the payload connect the free segments to a list. So a search
 * skips segments in use. It looks at every free segment, unless it meets a perfect fit. So its time
 * is linear in their number.
 *
 * Every header is sealed: its first word is a hash of its address, its content (links included) and
 * the heap's secret. The seal is validated before anything in a header is used. A write beyond a
 * block's end breaks the canary behind it. If there is no room for a canary, it breaks the next
 * header's seal, so the seal is the first word. A write before the block's start breaks its own
 * header.
 *
 * A header takes 32 bytes: distances are counted in units of 16 bytes so that they fit 32 bits,
 * which limits a heap to 64 GiB. A rest is split off if it has at least twice this size.
 *
 * Freed memory keeps tombstones until it is used again. The header of a freed block keeps the
 * requested size and the callers. This also holds for a header that was merged into the segment
 * before it.
 */
#include "kernel/mm/heap/policies/best_fit.h"

#include "kernel/mm/heap/policies/best_fit_list.h"
#include "kernel/mm/heap/policies/best_fit_view.h"
#include "kernel/mm/heap/policy.h"
#include "shared/memory.h"

/* The smallest rest that is worth a segment of its own. */
#define WORTH_SPLITTING_BYTES (2 * BEST_FIT_HEADER_BYTES)

/* Fills wiped headers. No seal consists of it. */
#define WIPED_BYTE 0xdf

/* --- Splitting and merging -------------------------------------------------------------------- */

/* Set a segment's length, and update the next header. Precondition: the next header is sound. */
static void set_length(struct heap *heap, struct best_fit_segment *segment, size_t bytes)
{
    segment->length_units = (uint32_t)(bytes / BEST_FIT_UNIT_BYTES);
    struct best_fit_segment *next = best_fit_next_of(segment);
    next->previous_units = segment->length_units;
    best_fit_seal(heap, next);
}

/* Split `segment` after `bytes` bytes. Return the rest: used, unsealed and without an owner.
 * Precondition: the header behind is sound. */
static struct best_fit_segment *split(struct heap *heap, struct best_fit_segment *segment,
                                      size_t bytes)
{
    size_t rest_bytes = best_fit_length_bytes(segment) - bytes;
    struct best_fit_segment *rest = (struct best_fit_segment *)((uintptr_t)segment + bytes);
    *rest = (struct best_fit_segment){.state = BEST_FIT_USED};
    best_fit_clear_block(segment);
    segment->length_units = (uint32_t)(bytes / BEST_FIT_UNIT_BYTES);
    rest->previous_units = segment->length_units;
    set_length(heap, rest, rest_bytes);
    return rest;
}

/* Append the next segment to `segment`. Its header becomes a tombstone; if its size is unknown, it
 * is wiped. Preconditions: the next segment is on no list, and the header behind it is sound. */
static void absorb_next(struct heap *heap, struct best_fit_segment *segment)
{
    struct best_fit_segment *next = best_fit_next_of(segment);
    size_t next_bytes = best_fit_length_bytes(next);
    if (best_fit_was_block(next)) {
        next->state = BEST_FIT_TOMBSTONE;
        best_fit_seal(heap, next);
    } else {
        memset(next, WIPED_BYTE, BEST_FIT_MINIMUM_SEGMENT_BYTES);
    }
    if (next_bytes > UINT32_MAX - segment->slack_bytes)
        best_fit_clear_block(segment);
    else if (best_fit_was_block(segment))
        segment->slack_bytes += (uint32_t)next_bytes;
    set_length(heap, segment, best_fit_length_bytes(segment) + next_bytes);
}

/* Make a used segment free, merged with its free neighbours, and seal it. */
static bool make_free(struct heap *heap, struct best_fit_segment *segment)
{
    struct best_fit_segment *next = best_fit_next_of(segment);
    if (!best_fit_validate_header(heap, next) ||
        !best_fit_validate_header(heap, best_fit_previous_of(segment)))
        return false;
    if (next->state == BEST_FIT_FREE) {
        if (!best_fit_validate_header(heap, best_fit_next_of(next)) ||
            !best_fit_list_remove(heap, next))
            return false;
        absorb_next(heap, segment);
    }
    struct best_fit_segment *previous = best_fit_previous_of(segment);
    if (previous != NULL && previous->state == BEST_FIT_FREE) {
        if (!best_fit_list_remove(heap, previous))
            return false;
        absorb_next(heap, previous);
        segment = previous;
    }
    segment->state = BEST_FIT_FREE;
    if (!best_fit_list_insert(heap, segment))
        return false;
    best_fit_seal(heap, segment);
    return true;
}

/* Write the request into a segment that is on no list, write the canary, and seal the header. */
static void make_used(struct heap *heap, struct best_fit_segment *segment,
                      const struct heap_request *request)
{
    segment->state = BEST_FIT_USED;
    segment->allocated_by = request->caller;
    segment->alignment_shift = (uint16_t)__builtin_ctzll(request->alignment_bytes);
    segment->slack_bytes = (uint32_t)(best_fit_payload_bytes(segment) - request->size_bytes);
    best_fit_write_canary(heap, segment);
    best_fit_seal(heap, segment);
}

/* Return how many bytes `segment` has beyond `payload` bytes of payload; 0 if these are too few for
 * a segment. */
static size_t rest_worth_splitting(const struct best_fit_segment *segment, size_t payload)
{
    size_t rest_bytes = best_fit_payload_bytes(segment) - payload;
    return rest_bytes > WORTH_SPLITTING_BYTES ? rest_bytes : 0;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* Write the offset in the payload of `segment` where the request's block would begin. The block is
 * aligned, and a gap before it has room for a segment. False: the request does not fit. */
static bool fits(const struct best_fit_segment *segment, const struct heap_request *request,
                 size_t *ret_gap_bytes)
{
    size_t gap_bytes = -(uintptr_t)best_fit_payload_of(segment) & (request->alignment_bytes - 1);
    while (gap_bytes != 0 && gap_bytes < BEST_FIT_MINIMUM_SEGMENT_BYTES)
        gap_bytes += request->alignment_bytes;
    if (gap_bytes > best_fit_payload_bytes(segment) ||
        best_fit_payload_for(request->size_bytes) > best_fit_payload_bytes(segment) - gap_bytes)
        return false;
    *ret_gap_bytes = gap_bytes;
    return true;
}

/* Return the smallest segment that fits. NULL: no segment fits, or a header is corrupt. */
static struct best_fit_segment *find_smallest(struct heap *heap, const struct heap_request *request,
                                              size_t *ret_gap_bytes)
{
    size_t perfect_bytes = BEST_FIT_HEADER_BYTES + best_fit_payload_for(request->size_bytes);
    struct best_fit_segment *smallest = NULL;
    for (struct best_fit_segment *segment = best_fit_of(heap)->free_list; segment != NULL;
         segment = best_fit_links_of(segment)->next) {
        if (!best_fit_validate_header(heap, segment))
            return NULL;
        if (smallest != NULL && segment->length_units >= smallest->length_units)
            continue;
        if (fits(segment, request, ret_gap_bytes))
            smallest = segment;
        if (smallest != NULL && best_fit_length_bytes(smallest) == perfect_bytes)
            break;
    }
    return smallest;
}

static void *best_fit_allocate(struct heap *heap, const struct heap_request *request)
{
    size_t gap_bytes;
    struct best_fit_segment *segment = find_smallest(heap, request, &gap_bytes);
    if (segment == NULL || !best_fit_validate_header(heap, best_fit_next_of(segment)))
        return NULL;
    if (!best_fit_list_remove(heap, segment))
        return NULL;

    struct best_fit_segment *gap = NULL;
    if (gap_bytes != 0) {
        gap = segment;
        segment = split(heap, gap, gap_bytes);
    }
    struct best_fit_segment *rest = NULL;
    size_t payload = best_fit_payload_for(request->size_bytes);
    if (rest_worth_splitting(segment, payload) != 0)
        rest = split(heap, segment, BEST_FIT_HEADER_BYTES + payload);
    make_used(heap, segment, request);
    if ((gap != NULL && !make_free(heap, gap)) || (rest != NULL && !make_free(heap, rest)))
        return NULL;
    return best_fit_payload_of(segment);
}

static bool best_fit_resize(struct heap *heap, void *block, const struct heap_request *request)
{
    struct best_fit_segment *segment = best_fit_segment_of(block);
    struct best_fit_segment *next = best_fit_next_of(segment);
    size_t payload = best_fit_payload_for(request->size_bytes);
    size_t old_payload = best_fit_payload_bytes(segment);

    if (payload > old_payload) {
        if (next->state != BEST_FIT_FREE || payload > old_payload + best_fit_length_bytes(next))
            return false;
        if (!best_fit_validate_header(heap, best_fit_next_of(next)) ||
            !best_fit_list_remove(heap, next))
            return false;
        absorb_next(heap, segment);
    }
    struct best_fit_segment *rest = NULL;
    if (rest_worth_splitting(segment, payload) != 0)
        rest = split(heap, segment, BEST_FIT_HEADER_BYTES + payload);
    make_used(heap, segment, request);
    return rest == NULL || make_free(heap, rest);
}

static size_t best_fit_missing(const struct heap *heap, const void *block, size_t size_bytes)
{
    const struct best_fit_segment *segment = best_fit_segment_of(block);
    const struct best_fit_segment *next = best_fit_next_of(segment);
    size_t missing_bytes = best_fit_payload_for(size_bytes) - best_fit_payload_bytes(segment);
    if (next == best_fit_of(heap)->end)
        return missing_bytes;
    if (next->state != BEST_FIT_FREE || best_fit_next_of(next) != best_fit_of(heap)->end)
        return 0;
    return missing_bytes - best_fit_length_bytes(next);
}

/* --- Free ------------------------------------------------------------------------------------- */

static bool is_inside(const struct heap *heap, const void *block)
{
    return (uintptr_t)block >= (uintptr_t)best_fit_payload_of(best_fit_of(heap)->first) &&
           (uintptr_t)block < (uintptr_t)best_fit_of(heap)->end;
}

static bool best_fit_validate(struct heap *heap, const void *block,
                              struct heap_block_info *ret_info)
{
    if (!is_inside(heap, block))
        return best_fit_fault_record(heap, HEAP_FAULT_BAD_POINTER, NULL, block,
                                     "the pointer does not belong to this heap");
    if ((uintptr_t)block % BEST_FIT_UNIT_BYTES != 0)
        return best_fit_fault_record_bad_pointer(heap, block);
    struct best_fit_segment *segment = best_fit_segment_of(block);
    if (!best_fit_is_sound(heap, segment) || segment->state == BEST_FIT_END ||
        segment->state == BEST_FIT_TOMBSTONE)
        return best_fit_fault_record_bad_pointer(heap, block);
    if (segment->state == BEST_FIT_FREE)
        return best_fit_fault_record_double_free(heap, segment, block);
    /* The next header is the canary of a block without one. */
    if (!best_fit_canary_is_intact(heap, segment) ||
        (segment->slack_bytes == 0 && !best_fit_is_sound(heap, best_fit_next_of(segment))))
        return best_fit_fault_record(heap, HEAP_FAULT_OVERRUN, segment, block,
                                     "the bytes behind the block were overwritten");
    if (!best_fit_validate_header(heap, best_fit_next_of(segment)))
        return false;
    ret_info->size_bytes = best_fit_asked_bytes(segment);
    ret_info->alignment_bytes = (size_t)1 << segment->alignment_shift;
    return true;
}

static bool best_fit_release(struct heap *heap, void *block)
{
    return make_free(heap, best_fit_segment_of(block));
}

/* --- The heap's ends -------------------------------------------------------------------------- */

static void write_end(struct heap *heap, uintptr_t address, size_t distance_bytes)
{
    struct best_fit_segment *end = (struct best_fit_segment *)address;
    *end = (struct best_fit_segment){
        .previous_units = (uint32_t)(distance_bytes / BEST_FIT_UNIT_BYTES), .state = BEST_FIT_END};
    best_fit_seal(heap, end);
    best_fit_of(heap)->end = end;
}

static void best_fit_initialise(struct heap *heap)
{
    struct best_fit_segment *first = (struct best_fit_segment *)(void *)heap->base;
    /* Headers of an earlier heap with the same secret must not be valid in this one. */
    struct best_fit_state *state = best_fit_of(heap);
    state->canaries = heap_key_derive(heap->secret, HEAP_KEY_CANARIES, first->seal);
    state->headers = heap_key_derive(heap->secret, HEAP_KEY_HEADERS, first->seal);
    size_t bytes = heap->size_bytes - BEST_FIT_HEADER_BYTES;
    *first = (struct best_fit_segment){.length_units = (uint32_t)(bytes / BEST_FIT_UNIT_BYTES),
                                       .state = BEST_FIT_FREE};
    *best_fit_links_of(first) = (struct best_fit_links){NULL, NULL};
    best_fit_seal(heap, first);
    state->first = first;
    state->free_list = first;
    write_end(heap, (uintptr_t)first + bytes, bytes);
}

/* The old end marker becomes the header of the new memory. */
static bool best_fit_extend(struct heap *heap, size_t additional_bytes)
{
    struct best_fit_segment *segment = best_fit_of(heap)->end;
    if (!best_fit_validate_header(heap, segment))
        return false;
    segment->state = BEST_FIT_USED;
    segment->length_units = (uint32_t)(additional_bytes / BEST_FIT_UNIT_BYTES);
    write_end(heap, (uintptr_t)segment + additional_bytes, additional_bytes);
    return make_free(heap, segment);
}

/* The last segment stays a segment, even if little of it is left. */
static size_t best_fit_free_tail(const struct heap *heap)
{
    const struct best_fit_segment *end = best_fit_of(heap)->end;
    if (!best_fit_is_sound(heap, end))
        return 0;
    const struct best_fit_segment *last = best_fit_previous_of(end);
    if (!best_fit_is_sound(heap, last) || last->state != BEST_FIT_FREE)
        return 0;
    return best_fit_length_bytes(last) - BEST_FIT_MINIMUM_SEGMENT_BYTES;
}

/* Precondition: free_tail() has just found both headers sound. */
static void best_fit_cut(struct heap *heap, size_t bytes)
{
    struct best_fit_segment *last = best_fit_previous_of(best_fit_of(heap)->end);
    size_t left_bytes = best_fit_length_bytes(last) - bytes;
    last->length_units = (uint32_t)(left_bytes / BEST_FIT_UNIT_BYTES);
    if (best_fit_was_block(last) && last->slack_bytes >= bytes)
        last->slack_bytes -= (uint32_t)bytes;
    else
        best_fit_clear_block(last);
    best_fit_seal(heap, last);
    write_end(heap, (uintptr_t)last + left_bytes, left_bytes);
}

#define STORAGE_BYTES (sizeof(struct heap) + sizeof(struct best_fit_state))

static const struct heap_policy_functions functions = {
    .minimum_extend_bytes = BEST_FIT_MINIMUM_SEGMENT_BYTES,
    .block_overhead_bytes = 2 * BEST_FIT_MINIMUM_SEGMENT_BYTES + BEST_FIT_UNIT_BYTES,
    .operations = &plain_operations,
    .plain =
        {
            .allocate = best_fit_allocate,
            .validate = best_fit_validate,
            .release = best_fit_release,
            .resize = best_fit_resize,
            .missing = best_fit_missing,
        },
    .initialise = best_fit_initialise,
    .extend = best_fit_extend,
    .free_tail = best_fit_free_tail,
    .cut = best_fit_cut,
    .survey = best_fit_view_survey,
    .walk = best_fit_view_walk,
    .check = best_fit_view_check,
};

_Static_assert(_Alignof(struct best_fit_state) <= _Alignof(struct heap), "it follows struct heap");
HEAP_ASSERT_STORAGE(STORAGE_BYTES, struct heap_best_fit_storage);

const struct heap_policy heap_policy_best_fit = {
    .name = "best-fit",
    .storage_bytes = STORAGE_BYTES,
    .minimum_bytes = BEST_FIT_MINIMUM_SEGMENT_BYTES + BEST_FIT_HEADER_BYTES,
    .maximum_bytes = (size_t)UINT32_MAX * BEST_FIT_UNIT_BYTES,
    .functions = &functions,
};
