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
 * free segments never touch. The free ones are also threaded on a list, through links in their
 * payload, so that a search skips what is in use; unless it meets a perfect fit it looks at every
 * free segment, which makes it linear in their number.
 *
 * Every header is sealed: its first word is a hash of its address, its content (links included) and
 * the heap's secret. The seal is proved before anything in a header is believed. A write beyond a
 * block's end breaks the canary behind it or, where the size leaves no room for one, the next
 * header's seal, which is why that stands first; a write before its start breaks its own header.
 *
 * A header takes 32 bytes: distances are counted in units of 16 bytes so that they fit 32 bits,
 * which limits a heap to 64 GiB. Twice that is the smallest rest worth splitting off.
 *
 * Free memory still tells what it was, until it is used again: a free segment that was a block has
 * kept what was asked for, and by whom, and so has the header of one that was merged with the
 * segment before it.
 */
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/policy.h"
#include "shared/memory.h"

#define UNIT_BYTES ((size_t)16)

enum segment_state {
    SEGMENT_FREE = 1,
    SEGMENT_USED = 2,
    SEGMENT_END = 3, /* length 0; behind it there is nothing */
    SEGMENT_GONE = 4 /* freed, and merged with the one before: no segment any more */
};

struct best_fit_segment {
    uint64_t seal;
    const void *allocated_by;
    uint32_t length_units;   /* from this header to the next */
    uint32_t previous_units; /* from the header before to this one; 0 for the first */
    uint32_t slack_bytes;    /* of the payload behind what was asked for: the canary */
    uint16_t state;
    uint16_t alignment_shift; /* 0: never was a block, or it is not known any more */
};

/* Head of a free segment's payload. */
struct free_links {
    struct best_fit_segment *next;
    struct best_fit_segment *previous;
};

#define HEADER_BYTES          sizeof(struct best_fit_segment)
#define MINIMUM_PAYLOAD_BYTES sizeof(struct free_links)
#define MINIMUM_SEGMENT_BYTES (HEADER_BYTES + MINIMUM_PAYLOAD_BYTES)
#define WORTH_SPLITTING_BYTES (2 * HEADER_BYTES)

_Static_assert(HEADER_BYTES == 2 * UNIT_BYTES, "blocks must stay aligned behind a header");
_Static_assert(MINIMUM_PAYLOAD_BYTES == UNIT_BYTES, "the links must fit the smallest payload");
_Static_assert(UNIT_BYTES == HEAP_ALIGNMENT_BYTES, "segments are blocks' alignment apart");

/* Fills wiped headers. No seal consists of it. */
#define WIPED_BYTE 0xdf
/* No ASCII character, no 0 and no 0xff: what runs over the end of a block is often one of these. */
#define CANARY_BYTE 0xa6

typedef struct best_fit_segment segment;

/* --- Geometry --------------------------------------------------------------------------------- */

static size_t length_bytes(const segment *s)
{
    return s->length_units * UNIT_BYTES;
}

static size_t payload_bytes(const segment *s)
{
    return length_bytes(s) - HEADER_BYTES;
}

static uint8_t *payload_of(const segment *s)
{
    return (uint8_t *)(uintptr_t)s + HEADER_BYTES;
}

static segment *segment_of(const void *block)
{
    return (segment *)((uintptr_t)block - HEADER_BYTES);
}

static segment *next_of(const segment *s)
{
    return (segment *)((uintptr_t)s + length_bytes(s));
}

/* NULL for the first. */
static segment *previous_of(const segment *s)
{
    if (s->previous_units == 0)
        return NULL;
    return (segment *)((uintptr_t)s - s->previous_units * UNIT_BYTES);
}

static struct free_links *links_of(const segment *s)
{
    return (struct free_links *)(void *)payload_of(s);
}

static size_t asked_bytes(const segment *s)
{
    return payload_bytes(s) - s->slack_bytes;
}

/* Of a free segment: it was a block, and has kept what was asked for. */
static bool remembers_block(const segment *s)
{
    return s->alignment_shift != 0;
}

static void forget_block(segment *s)
{
    s->allocated_by = NULL;
    s->slack_bytes = 0;
    s->alignment_shift = 0;
}

static size_t payload_for(size_t size_bytes)
{
    size_t rounded = (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    return rounded < MINIMUM_PAYLOAD_BYTES ? MINIMUM_PAYLOAD_BYTES : rounded;
}

/* --- Seals and canaries ----------------------------------------------------------------------- */

/* The seal's lowest byte, the first that an overflow hits, is in 0x80…0xbf: see CANARY_BYTE. */
static uint64_t seal_for(const struct heap *heap, const segment *s)
{
    uint64_t hash = heap_hash(heap->best_fit.secret, (uintptr_t)s);
    hash = heap_hash(hash, (uintptr_t)s->allocated_by);
    hash = heap_hash(hash, (uint64_t)s->length_units << 32 | s->previous_units);
    hash = heap_hash(hash, (uint64_t)s->slack_bytes << 32 | (uint32_t)s->state << 16 |
                               s->alignment_shift);
    if (s->state == SEGMENT_FREE) {
        hash = heap_hash(hash, (uintptr_t)links_of(s)->next);
        hash = heap_hash(hash, (uintptr_t)links_of(s)->previous);
    }
    return (hash & ~UINT64_C(0xff)) | 0x80 | (hash & 0x3f);
}

static void seal(const struct heap *heap, segment *s)
{
    s->seal = seal_for(heap, s);
}

static bool is_sound(const struct heap *heap, const segment *s)
{
    return s->seal == seal_for(heap, s);
}

static bool bytes_are(const uint8_t *bytes, size_t count, uint8_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static bool canary_is_intact(const segment *s)
{
    return bytes_are(payload_of(s) + asked_bytes(s), s->slack_bytes, CANARY_BYTE);
}

/* --- Faults ----------------------------------------------------------------------------------- */

/* Record what is wrong with the block or free memory `s`, whose header is sound; or with a place
 * about which nothing is known, NULL. Always false. */
static bool record_fault(struct heap *heap, enum heap_fault_kind kind, const segment *s,
                         const void *pointer, const char *detail)
{
    struct heap_fault fault = {.kind = kind, .detail = detail, .pointer = pointer};
    if (s != NULL) {
        bool is_free = s->state == SEGMENT_FREE;
        fault.block = payload_of(s);
        fault.is_free = is_free;
        fault.size_bytes = is_free ? 0 : asked_bytes(s);
        fault.free_bytes = is_free ? payload_bytes(s) : 0;
        fault.allocated_by = is_free ? NULL : s->allocated_by;
    }
    return heap_fault_record(heap, &fault);
}

/* Record a pointer into the free segment `s`. Always false. */
static bool record_double_free(struct heap *heap, const segment *s, const void *pointer)
{
    const segment *freed = segment_of(pointer);
    if ((uintptr_t)pointer % UNIT_BYTES != 0 || !is_sound(heap, freed) ||
        (freed != s && freed->state != SEGMENT_GONE) || !remembers_block(freed))
        return record_fault(heap, HEAP_FAULT_DOUBLE_FREE, s, pointer,
                            "the pointer is into memory that was freed");
    const struct heap_fault fault = {
        .kind = HEAP_FAULT_DOUBLE_FREE,
        .detail = "the block is free already",
        .pointer = pointer,
        .block = pointer,
        .is_free = true,
        .size_bytes = asked_bytes(freed),
        .allocated_by = freed->allocated_by,
    };
    return heap_fault_record(heap, &fault);
}

/* True if the header is sound; else that is recorded. NULL is fine. */
static bool validate_header(struct heap *heap, const segment *s)
{
    if (s == NULL || is_sound(heap, s))
        return true;
    return record_fault(heap, HEAP_FAULT_CORRUPT, NULL, payload_of(s),
                        "a header or free-list link was overwritten");
}

/* --- The free list ---------------------------------------------------------------------------- */

static bool list_insert(struct heap *heap, segment *s)
{
    segment *head = heap->best_fit.free_list;
    if (!validate_header(heap, head))
        return false;
    *links_of(s) = (struct free_links){.next = head, .previous = NULL};
    if (head != NULL) {
        links_of(head)->previous = s;
        seal(heap, head);
    }
    heap->best_fit.free_list = s;
    return true;
}

static bool list_remove(struct heap *heap, const segment *s)
{
    segment *next = links_of(s)->next;
    segment *previous = links_of(s)->previous;
    if (!validate_header(heap, next) || !validate_header(heap, previous))
        return false;
    if (next != NULL) {
        links_of(next)->previous = previous;
        seal(heap, next);
    }
    if (previous != NULL) {
        links_of(previous)->next = next;
        seal(heap, previous);
    } else {
        heap->best_fit.free_list = next;
    }
    return true;
}

/* --- Splitting and merging -------------------------------------------------------------------- */

/* Set a segment's length, telling the next header, which is there already and sound. */
static void set_length(struct heap *heap, segment *s, size_t bytes)
{
    s->length_units = (uint32_t)(bytes / UNIT_BYTES);
    segment *next = next_of(s);
    next->previous_units = s->length_units;
    seal(heap, next);
}

/* Cut `s` after `bytes` bytes; returns the rest, used, unsealed and without an owner. The header
 * behind is sound. */
static segment *split(struct heap *heap, segment *s, size_t bytes)
{
    size_t rest_bytes = length_bytes(s) - bytes;
    segment *rest = (segment *)((uintptr_t)s + bytes);
    *rest = (segment){.state = SEGMENT_USED};
    forget_block(s);
    s->length_units = (uint32_t)(bytes / UNIT_BYTES);
    rest->previous_units = s->length_units;
    set_length(heap, rest, rest_bytes);
    return rest;
}

/* Append the next segment, which is on no list, to `s`. Its header stays, marked, as what it was;
 * if that is not known it is wiped. The header behind is sound. */
static void absorb_next(struct heap *heap, segment *s)
{
    segment *next = next_of(s);
    size_t next_bytes = length_bytes(next);
    if (remembers_block(next)) {
        next->state = SEGMENT_GONE;
        seal(heap, next);
    } else {
        memset(next, WIPED_BYTE, MINIMUM_SEGMENT_BYTES);
    }
    if (next_bytes > UINT32_MAX - s->slack_bytes)
        forget_block(s);
    else if (remembers_block(s))
        s->slack_bytes += (uint32_t)next_bytes;
    set_length(heap, s, length_bytes(s) + next_bytes);
}

/* Make a used segment free, merged with its free neighbours, and seal it. */
static bool make_free(struct heap *heap, segment *s)
{
    segment *next = next_of(s);
    if (!validate_header(heap, next) || !validate_header(heap, previous_of(s)))
        return false;
    if (next->state == SEGMENT_FREE) {
        if (!validate_header(heap, next_of(next)) || !list_remove(heap, next))
            return false;
        absorb_next(heap, s);
    }
    segment *previous = previous_of(s);
    if (previous != NULL && previous->state == SEGMENT_FREE) {
        if (!list_remove(heap, previous))
            return false;
        absorb_next(heap, previous);
        s = previous;
    }
    s->state = SEGMENT_FREE;
    if (!list_insert(heap, s))
        return false;
    seal(heap, s);
    return true;
}

/* Write what was asked for into a segment that is on no list, lay the canary, seal it. */
static void make_used(struct heap *heap, segment *s, const struct heap_request *request)
{
    s->state = SEGMENT_USED;
    s->allocated_by = request->caller;
    s->alignment_shift = (uint16_t)__builtin_ctzll(request->alignment_bytes);
    s->slack_bytes = (uint32_t)(payload_bytes(s) - request->size_bytes);
    memset(payload_of(s) + request->size_bytes, CANARY_BYTE, s->slack_bytes);
    seal(heap, s);
}

/* What `s` has beyond `payload` bytes of payload, or 0 if that is not worth a segment. */
static size_t rest_worth_splitting(const segment *s, size_t payload)
{
    size_t rest_bytes = payload_bytes(s) - payload;
    return rest_bytes > WORTH_SPLITTING_BYTES ? rest_bytes : 0;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* How far into the payload of `s` the request's block would begin, so that it is aligned and a gap
 * before it is large enough for a segment. False if it does not fit. */
static bool fits(const segment *s, const struct heap_request *request, size_t *ret_gap_bytes)
{
    size_t gap_bytes = -(uintptr_t)payload_of(s) & (request->alignment_bytes - 1);
    while (gap_bytes != 0 && gap_bytes < MINIMUM_SEGMENT_BYTES)
        gap_bytes += request->alignment_bytes;
    if (gap_bytes > payload_bytes(s) ||
        payload_for(request->size_bytes) > payload_bytes(s) - gap_bytes)
        return false;
    *ret_gap_bytes = gap_bytes;
    return true;
}

/* NULL if none fits or a header is corrupt. */
static segment *find_smallest(struct heap *heap, const struct heap_request *request,
                              size_t *ret_gap_bytes)
{
    size_t perfect_bytes = HEADER_BYTES + payload_for(request->size_bytes);
    segment *smallest = NULL;
    for (segment *s = heap->best_fit.free_list; s != NULL; s = links_of(s)->next) {
        if (!validate_header(heap, s))
            return NULL;
        if (smallest != NULL && s->length_units >= smallest->length_units)
            continue;
        if (fits(s, request, ret_gap_bytes))
            smallest = s;
        if (smallest != NULL && length_bytes(smallest) == perfect_bytes)
            break;
    }
    return smallest;
}

static void *best_fit_allocate(struct heap *heap, const struct heap_request *request)
{
    size_t gap_bytes;
    segment *s = find_smallest(heap, request, &gap_bytes);
    if (s == NULL || !validate_header(heap, next_of(s)))
        return NULL;
    if (!list_remove(heap, s))
        return NULL;

    segment *gap = NULL;
    if (gap_bytes != 0) {
        gap = s;
        s = split(heap, gap, gap_bytes);
    }
    segment *rest = NULL;
    size_t payload = payload_for(request->size_bytes);
    if (rest_worth_splitting(s, payload) != 0)
        rest = split(heap, s, HEADER_BYTES + payload);
    make_used(heap, s, request);
    if ((gap != NULL && !make_free(heap, gap)) || (rest != NULL && !make_free(heap, rest)))
        return NULL;
    return payload_of(s);
}

static bool best_fit_resize(struct heap *heap, void *block, const struct heap_request *request)
{
    segment *s = segment_of(block);
    segment *next = next_of(s);
    size_t payload = payload_for(request->size_bytes);
    size_t old_payload = payload_bytes(s);

    if (payload > old_payload) {
        if (next->state != SEGMENT_FREE || payload > old_payload + length_bytes(next))
            return false;
        if (!validate_header(heap, next_of(next)) || !list_remove(heap, next))
            return false;
        absorb_next(heap, s);
    }
    segment *rest = NULL;
    if (rest_worth_splitting(s, payload) != 0)
        rest = split(heap, s, HEADER_BYTES + payload);
    make_used(heap, s, request);
    return rest == NULL || make_free(heap, rest);
}

static size_t best_fit_missing(const struct heap *heap, const void *block, size_t size_bytes)
{
    const segment *s = segment_of(block);
    const segment *next = next_of(s);
    size_t missing_bytes = payload_for(size_bytes) - payload_bytes(s);
    if (next == heap->best_fit.end)
        return missing_bytes;
    if (next->state != SEGMENT_FREE || next_of(next) != heap->best_fit.end)
        return 0;
    return missing_bytes - length_bytes(next);
}

/* --- Free ------------------------------------------------------------------------------------- */

/* Record exactly what a pointer is whose header is not that of a block. Walks from the start, since
 * only headers that are reached there are known to be headers. Always false. */
static bool record_bad_pointer(struct heap *heap, const void *block)
{
    uintptr_t address = (uintptr_t)block;
    segment *s = heap->best_fit.first;
    while (is_sound(heap, s) && address >= (uintptr_t)payload_of(next_of(s)))
        s = next_of(s);

    if (!is_sound(heap, s) && payload_of(s) == block) {
        const struct heap_fault fault = {.kind = HEAP_FAULT_OVERRUN,
                                         .detail = "the header before the block was overwritten",
                                         .pointer = block,
                                         .block = block};
        return heap_fault_record(heap, &fault);
    }
    if (!is_sound(heap, s))
        return record_fault(heap, HEAP_FAULT_CORRUPT, NULL, block,
                            "a header further down was overwritten");
    if (s->state == SEGMENT_FREE && address < (uintptr_t)next_of(s))
        return record_double_free(heap, s, block);
    return record_fault(heap, HEAP_FAULT_BAD_POINTER, s, block,
                        "the pointer is not the start of a block");
}

static bool is_inside(const struct heap *heap, const void *block)
{
    return (uintptr_t)block >= (uintptr_t)payload_of(heap->best_fit.first) &&
           (uintptr_t)block < (uintptr_t)heap->best_fit.end;
}

static bool best_fit_validate(struct heap *heap, const void *block,
                              struct heap_block_info *ret_info)
{
    if (!is_inside(heap, block))
        return record_fault(heap, HEAP_FAULT_BAD_POINTER, NULL, block,
                            "the pointer is not of this heap");
    if ((uintptr_t)block % UNIT_BYTES != 0)
        return record_bad_pointer(heap, block);
    segment *s = segment_of(block);
    if (!is_sound(heap, s) || s->state == SEGMENT_END || s->state == SEGMENT_GONE)
        return record_bad_pointer(heap, block);
    if (s->state == SEGMENT_FREE)
        return record_double_free(heap, s, block);
    /* The next header is the canary of a block without one. */
    if (!canary_is_intact(s) || (s->slack_bytes == 0 && !is_sound(heap, next_of(s))))
        return record_fault(heap, HEAP_FAULT_OVERRUN, s, block,
                            "the bytes behind the block were overwritten");
    if (!validate_header(heap, next_of(s)))
        return false;
    ret_info->size_bytes = asked_bytes(s);
    ret_info->alignment_bytes = (size_t)1 << s->alignment_shift;
    return true;
}

static bool best_fit_release(struct heap *heap, void *block)
{
    return make_free(heap, segment_of(block));
}

/* --- The heap's ends -------------------------------------------------------------------------- */

static void write_end(struct heap *heap, uintptr_t address, size_t distance_bytes)
{
    segment *end = (segment *)address;
    *end =
        (segment){.previous_units = (uint32_t)(distance_bytes / UNIT_BYTES), .state = SEGMENT_END};
    seal(heap, end);
    heap->best_fit.end = end;
}

static void best_fit_initialise(struct heap *heap)
{
    segment *first = heap->configuration.base;
    /* What an earlier heap left here, with the same secret, is nothing to this one. */
    heap->best_fit.secret = heap_hash(heap->configuration.secret, first->seal);
    size_t bytes = heap->size_bytes - HEADER_BYTES;
    *first = (segment){.length_units = (uint32_t)(bytes / UNIT_BYTES), .state = SEGMENT_FREE};
    *links_of(first) = (struct free_links){NULL, NULL};
    seal(heap, first);
    heap->best_fit.first = first;
    heap->best_fit.free_list = first;
    write_end(heap, (uintptr_t)first + bytes, bytes);
}

/* The old end marker becomes the header of the new memory. */
static bool best_fit_extend(struct heap *heap, size_t additional_bytes)
{
    segment *s = heap->best_fit.end;
    if (!validate_header(heap, s))
        return false;
    s->state = SEGMENT_USED;
    s->length_units = (uint32_t)(additional_bytes / UNIT_BYTES);
    write_end(heap, (uintptr_t)s + additional_bytes, additional_bytes);
    return make_free(heap, s);
}

/* The last segment stays a segment, however little of it is left. */
static size_t best_fit_free_tail(const struct heap *heap)
{
    const segment *end = heap->best_fit.end;
    if (!is_sound(heap, end))
        return 0;
    const segment *last = previous_of(end);
    if (!is_sound(heap, last) || last->state != SEGMENT_FREE)
        return 0;
    return length_bytes(last) - MINIMUM_SEGMENT_BYTES;
}

/* Precondition: free_tail() has just found both headers sound. */
static bool best_fit_cut(struct heap *heap, size_t bytes)
{
    segment *last = previous_of(heap->best_fit.end);
    size_t left_bytes = length_bytes(last) - bytes;
    last->length_units = (uint32_t)(left_bytes / UNIT_BYTES);
    if (remembers_block(last) && last->slack_bytes >= bytes)
        last->slack_bytes -= (uint32_t)bytes;
    else
        forget_block(last);
    seal(heap, last);
    write_end(heap, (uintptr_t)last + left_bytes, left_bytes);
    return true;
}

/* --- Looking at it ---------------------------------------------------------------------------- */

/* Stops at a header that is not sound: the figures are then what could be proved. */
static void best_fit_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct heap_survey survey = {0};
    for (const segment *s = heap->best_fit.first; is_sound(heap, s) && s->state != SEGMENT_END;
         s = next_of(s)) {
        if (s->state == SEGMENT_USED) {
            survey.live_block_count++;
            continue;
        }
        survey.free_block_count++;
        survey.free_bytes += payload_bytes(s);
        if (payload_bytes(s) > survey.largest_free_bytes)
            survey.largest_free_bytes = payload_bytes(s);
    }
    *ret_survey = survey;
}

static void best_fit_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    for (const segment *s = heap->best_fit.first; is_sound(heap, s) && s->state != SEGMENT_END;
         s = next_of(s)) {
        bool is_used = s->state == SEGMENT_USED;
        const struct heap_piece piece = {.kind = is_used ? HEAP_PIECE_LIVE : HEAP_PIECE_FREE,
                                         .start = payload_of(s),
                                         .extent_bytes = payload_bytes(s),
                                         .size_bytes = is_used ? asked_bytes(s) : 0,
                                         .allocated_by = is_used ? s->allocated_by : NULL};
        visit(context, &piece);
    }
}

static const char *check_segment(const struct heap *heap, const segment *s)
{
    const segment *previous = previous_of(s);
    if (previous != NULL && next_of(previous) != s)
        return "a segment's distance to the one before is wrong";
    if (length_bytes(s) < MINIMUM_SEGMENT_BYTES)
        return "a segment is too short";
    if (length_bytes(s) > (uintptr_t)heap->best_fit.end - (uintptr_t)s)
        return "a segment reaches beyond the end";
    if (s->state == SEGMENT_FREE) {
        if (previous != NULL && previous->state == SEGMENT_FREE)
            return "two free segments touch";
        return NULL;
    }
    if (s->state != SEGMENT_USED)
        return "a segment is neither free nor used";
    if (s->slack_bytes > payload_bytes(s))
        return "a canary is longer than its segment";
    return canary_is_intact(s) ? NULL : "the bytes behind a block were overwritten";
}

/* `free_count` segments are free: that many and no more are on the list, linked both ways. */
static const char *check_free_list(const struct heap *heap, size_t free_count)
{
    const segment *previous = NULL;
    for (const segment *s = heap->best_fit.free_list; s != NULL; s = links_of(s)->next) {
        if (free_count == 0)
            return "the free list is longer than there are free segments";
        if (!is_sound(heap, s) || s->state != SEGMENT_FREE)
            return "the free list holds what is not free";
        if (links_of(s)->previous != previous)
            return "the free list's links do not match";
        previous = s;
        free_count--;
    }
    return free_count == 0 ? NULL : "a free segment is not on the free list";
}

static const char *best_fit_check(const struct heap *heap)
{
    size_t used_bytes = 0;
    size_t free_count = 0;
    const segment *s = heap->best_fit.first;
    for (; s != heap->best_fit.end; s = next_of(s)) {
        if (!is_sound(heap, s))
            return "a header was overwritten";
        const char *problem = check_segment(heap, s);
        if (problem != NULL)
            return problem;
        if (s->state == SEGMENT_FREE)
            free_count++;
        else
            used_bytes += asked_bytes(s);
    }
    if (!is_sound(heap, s) || s->state != SEGMENT_END)
        return "the end marker was overwritten";
    if ((uintptr_t)s + HEADER_BYTES != (uintptr_t)heap->configuration.base + heap->size_bytes)
        return "the end marker is not at the end";
    if (used_bytes != heap_policy_used_bytes(heap))
        return "the counters do not match the blocks";
    return check_free_list(heap, free_count);
}

const struct heap_policy heap_policy_best_fit = {
    .name = "best-fit",
    .minimum_bytes = MINIMUM_SEGMENT_BYTES + HEADER_BYTES,
    .minimum_extend_bytes = MINIMUM_SEGMENT_BYTES,
    .maximum_bytes = (size_t)UINT32_MAX * UNIT_BYTES,
    .block_overhead_bytes = 2 * MINIMUM_SEGMENT_BYTES + UNIT_BYTES,
    .operations = &heap_plain_operations,
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
    .survey = best_fit_survey,
    .walk = best_fit_walk,
    .check = best_fit_check,
};
