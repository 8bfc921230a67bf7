/*
 * memory_map.c - a sweep over the rows in order of address.
 *
 *   address   ──────────────────────────────────────────────►
 *   row 0     ├──────────── usable ────────────┤
 *   row 1              ├─ reserved ─┤
 *   claim                                  ├─ temp heap ─┤      (no row here: efi_type NONE)
 *   result    ├─usable─┼─ reserved ─┼usable┼───temp heap─┤
 *
 * At each position the row or claim with the highest precedence (shared/region.h) wins. The starts
 * are sorted once. Rows that have begun wait in a heap with the highest precedence on top. A row
 * that has ended is dropped when it reaches the top. So the time is O(n log n) and the space 2 × n
 * words, without recursion, for every order of the rows.
 */
#include "bootloader/pure/memory_map.h"

#include <stdbool.h>

#include "bootloader/pure/memory_type.h"
#include "bootloader/pure/text_part.h"
#include "bootloader/pure/word_heap.h"
#include "shared/address.h"
#include "shared/memory.h"
#include "shared/region.h"
#include "shared/text/packed_text.h"

/* The limit of the addresses of the first processors. */
#define LOW_MEMORY_LIMIT_BYTES (UINT64_C(1) << 20)

/* A word of work space holds a page number (40 bits) or a precedence above an index. */
#define INDEX_BITS 24
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

/* In the order of enum memory_map_status. */
static const char sentences[] PACKED_SECTION =
    "The memory map is good.\0"
    "The firmware's memory map has no usable row.\0"
    "The firmware's memory map has an impossible descriptor size.\0"
    "The firmware's memory map has more rows than there is room for.\0";

const char *memory_map_status_text(enum memory_map_status status)
{
    return text_part(packed_text_read(sentences), (unsigned)status);
}

/* --- Rows and claims --- */

/* A firmware row or a claim, in whole pages. */
struct span {
    struct phys_range range;
    enum handoff_region_type type;
    uint32_t efi_type;
    uint64_t attributes;
};

struct conversion {
    const struct memory_map_request *request;
    const struct memory_map_room *room;
    size_t row_count;
    uint64_t assumed_attributes; /* of every row; 0 if the rows have their own */
    struct memory_map_result result;
};

/* A row where it is: at any alignment. */
typedef struct memory_map_descriptor foreign_row __attribute__((aligned(1), may_alias));

static const foreign_row *row_at(const struct conversion *conversion, uint64_t number)
{
    const uint8_t *map = conversion->request->map;
    return (const foreign_row *)(map + number * conversion->request->stride_bytes);
}

/* Write the bytes that a row covers. Return false if it wraps or lies above any CPU's memory. */
static bool row_range(const foreign_row *row, struct phys_range *ret_range)
{
    return row->page_count <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES / PAGE_SIZE_BYTES &&
           phys_range_from_base_size(phys_addr(row->physical_start),
                                     row->page_count * PAGE_SIZE_BYTES, ret_range) &&
           ret_range->end.value <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES;
}

/* Round to whole pages. A page that is only partly free RAM is not free, so rows that can become
 * free shrink. For the same reason all other rows grow. */
static struct phys_range to_whole_pages(struct phys_range range, enum handoff_region_type type)
{
    if (!memory_type_can_become_free(type))
        return phys_range(page_align_down(range.start.value), page_align_up(range.end.value));
    uint64_t start = page_align_up(range.start.value);
    uint64_t end = page_align_down(range.end.value);
    return phys_range(start, end > start ? end : start);
}

/* Write the span of one row. Return false if the row has no use. */
static bool row_span(const struct conversion *conversion, uint64_t number, struct span *ret_span)
{
    const foreign_row *row = row_at(conversion, number);
    struct phys_range range;
    if (row->page_count == 0 || !row_range(row, &range))
        return false;
    ret_span->type = memory_type_of_row(row->type, row->attribute | conversion->assumed_attributes);
    ret_span->range = to_whole_pages(range, ret_span->type);
    ret_span->efi_type = row->type;
    ret_span->attributes = row->attribute;
    return true;
}

/* Rows are numbered from 0, claims behind them. Return false if the row or claim has no use. */
static bool span_at(const struct conversion *conversion, uint64_t number, struct span *ret_span)
{
    if (number < conversion->row_count)
        return row_span(conversion, number, ret_span) && !phys_range_is_empty(ret_span->range);
    const struct memory_map_claim *claim =
        &conversion->request->claims[number - conversion->row_count];
    *ret_span = (struct span){
        .range = claim->range,
        .type = claim->type,
        .efi_type = HANDOFF_EFI_TYPE_NONE,
    };
    return !phys_range_is_empty(claim->range);
}

static void report_row(struct conversion *conversion, const foreign_row *row)
{
    struct memory_map_report *report = &conversion->result.report;
    struct phys_range range;
    if (row->page_count == 0) {
        report->dropped_empty++;
        return;
    }
    if (!row_range(row, &range)) {
        report->dropped_wrapping++;
        return;
    }
    if (!page_is_aligned(row->physical_start))
        report->shrunk_unaligned++;
    if (!memory_type_is_known(row->type))
        report->unknown_types++;
    if (memory_type_forbids_use(row->type, row->attribute | conversion->assumed_attributes))
        report->unusable_attributes++;
}

/* Some firmware leaves all attributes 0. Taken literally, no memory would be RAM. */
static void assume_attributes(struct conversion *conversion)
{
    for (size_t row = 0; row < conversion->row_count; row++) {
        if (row_at(conversion, row)->attribute != 0)
            return;
    }
    conversion->assumed_attributes = MEMORY_TYPE_WRITE_BACK;
    conversion->result.report.attributes_assumed = true;
}

/* --- The sweep --- */

struct sweep {
    struct conversion *conversion;
    const uint64_t *starts; /* page number of the start, then the span's number: ascending */
    size_t start_count;
    size_t begun_count;
    struct phys_addr next_start; /* behind all memory if every span has begun */
    struct word_heap rows; /* precedence, then the span's number inverted: the first row wins */
    struct word_heap claims;
};

static uint64_t start_word(const struct span *span, uint64_t number)
{
    return (span->range.start.value / PAGE_SIZE_BYTES) << INDEX_BITS | number;
}

/* A claim of firmware tables has the lowest precedence, so a wrong table address never hides the
 * loader's blocks. */
static uint64_t waiting_word(const struct span *span, uint64_t number)
{
    uint64_t precedence = span->type == HANDOFF_REGION_FIRMWARE_TABLES
                              ? 0
                              : region_type_precedence((uint32_t)span->type);
    return precedence << INDEX_BITS | (INDEX_MASK - number);
}

/* Drop the spans that have ended, then write the span on top of the heap. Return false if no span
 * is left; *ret_span is then undefined. */
static bool top_span(const struct sweep *sweep, struct word_heap *heap, struct phys_addr position,
                     struct span *ret_span)
{
    while (heap->count > 0) {
        (void)span_at(sweep->conversion, INDEX_MASK - (heap->words[0] & INDEX_MASK), ret_span);
        if (ret_span->range.end.value > position.value)
            return true;
        (void)word_heap_pop(heap);
    }
    return false;
}

static bool same_meaning(const struct span *a, const struct span *b)
{
    return a->type == b->type && a->efi_type == b->efi_type && a->attributes == b->attributes;
}

static void begin_span(struct sweep *sweep, uint64_t number, struct phys_addr position)
{
    struct span span;
    struct span covering;
    bool is_claim = number >= sweep->conversion->row_count;
    (void)span_at(sweep->conversion, number, &span);
    if (!is_claim && top_span(sweep, &sweep->rows, position, &covering) &&
        !same_meaning(&span, &covering))
        sweep->conversion->result.report.overlapping++;
    word_heap_push(is_claim ? &sweep->claims : &sweep->rows, waiting_word(&span, number));
}

/* Push all spans that start at or before the position into their heaps. */
static void begin_spans(struct sweep *sweep, struct phys_addr position)
{
    for (; sweep->begun_count < sweep->start_count; sweep->begun_count++) {
        uint64_t word = sweep->starts[sweep->begun_count];
        sweep->next_start = phys_addr((word >> INDEX_BITS) * PAGE_SIZE_BYTES);
        if (sweep->next_start.value > position.value)
            return;
        begin_span(sweep, word & INDEX_MASK, position);
    }
    sweep->next_start = phys_addr(UINT64_MAX);
}

static struct phys_addr lower(struct phys_addr a, struct phys_addr b)
{
    return a.value < b.value ? a : b;
}

static bool wins_over(enum handoff_region_type a, enum handoff_region_type b)
{
    return region_type_precedence((uint32_t)a) > region_type_precedence((uint32_t)b);
}

/* The loader's claims lie in RAM, so a row of RAM must be below each of them. Without such a row,
 * or with a row of higher precedence, the claim is not in the direct map. */
static void note_claim(struct memory_map_report *report, const struct span *claim,
                       const struct span *row, struct phys_addr position)
{
    if (!memory_type_is_ram(claim->type) || !phys_range_is_empty(report->unproven_claim.range) ||
        (row != NULL && !wins_over(row->type, claim->type)))
        return;
    report->unproven_claim = (struct memory_map_claim){{position, claim->range.end}, claim->type};
}

/* Firmware tables get their own type only in reserved memory and in memory without a row. In RAM a
 * kernel reaches them anyway. Every other type already states the use of the memory. */
static bool claim_applies(const struct span *claim, const struct span *row)
{
    if (claim->type == HANDOFF_REGION_FIRMWARE_TABLES)
        return row->type == HANDOFF_REGION_RESERVED;
    return wins_over(claim->type, row->type);
}

/* Write the span that is valid from the position on, and its end. Return false if no span covers
 * the position. */
static bool span_from(struct sweep *sweep, struct phys_addr position, struct span *ret_span)
{
    struct span claim;
    bool has_row = top_span(sweep, &sweep->rows, position, ret_span);
    bool has_claim = top_span(sweep, &sweep->claims, position, &claim);
    if (!has_row && !has_claim)
        return false;
    if (has_claim)
        note_claim(&sweep->conversion->result.report, &claim, has_row ? ret_span : NULL, position);
    if (has_row && has_claim) {
        ret_span->range.end = lower(ret_span->range.end, claim.range.end);
        if (claim_applies(&claim, ret_span))
            ret_span->type = claim.type;
    } else if (has_claim) {
        *ret_span = claim;
    }
    ret_span->range.start = position;
    ret_span->range.end = lower(ret_span->range.end, sweep->next_start);
    return true;
}

/* Make the last region longer by the span. False if the span is no continuation of it. */
static bool lengthen_last(const struct conversion *conversion, const struct span *span)
{
    if (conversion->result.region_count == 0)
        return false;
    struct handoff_region *last = &conversion->room->regions[conversion->result.region_count - 1];
    struct span last_span = {.type = (enum handoff_region_type)last->type,
                             .efi_type = last->efi_type,
                             .attributes = last->attributes};
    if (last->base + last->size_bytes != span->range.start.value || !same_meaning(&last_span, span))
        return false;
    last->size_bytes += phys_range_size_bytes(span->range);
    return true;
}

/* Append to the regions, or lengthen the last one. False if there is no room. */
static bool emit(struct conversion *conversion, const struct span *span)
{
    if (lengthen_last(conversion, span))
        return true;
    if (conversion->result.region_count == conversion->room->region_capacity)
        return false;
    conversion->room->regions[conversion->result.region_count++] =
        region_make(span->range.start.value, phys_range_size_bytes(span->range),
                    (uint32_t)span->type, span->efi_type, span->attributes);
    return true;
}

/* Frame 0 is not used: address 0 means "none" everywhere, and old firmware keeps its vectors there.
 * So the span at 0 ends after one page, and that page never becomes free. */
static void spare_frame_zero(struct span *span)
{
    if (span->range.start.value != 0)
        return;
    span->range.end = phys_addr(PAGE_SIZE_BYTES);
    if (memory_type_can_become_free(span->type))
        span->type = HANDOFF_REGION_RESERVED;
}

/* Some firmware writes below 1 MiB to memory that its map calls free, and processors start there.
 * So this memory is never handed over as ordinary RAM. Only types that could become free change. */
static void mark_low_memory(struct span *span)
{
    if (span->range.start.value >= LOW_MEMORY_LIMIT_BYTES ||
        !memory_type_can_become_free(span->type) || span->type == HANDOFF_REGION_ACPI_RECLAIM)
        return;
    span->range.end = lower(span->range.end, phys_addr(LOW_MEMORY_LIMIT_BYTES));
    span->type = HANDOFF_REGION_LOW_MEMORY;
}

/* RAM that the direct map does not reach is not usable, so it is not handed over as RAM. */
static void reserve_unreachable_ram(struct span *span, struct conversion *conversion)
{
    struct phys_addr limit = phys_addr(conversion->request->ram_limit_bytes);
    if (!memory_type_is_ram(span->type) || span->range.end.value <= limit.value)
        return;
    if (span->range.start.value < limit.value) {
        span->range.end = limit;
        return;
    }
    span->type = HANDOFF_REGION_RESERVED;
    conversion->result.report.unreachable_bytes += phys_range_size_bytes(span->range);
}

static bool run_sweep(struct sweep *sweep)
{
    struct phys_addr position = phys_addr(0);
    for (;;) {
        struct span span;
        begin_spans(sweep, position);
        if (span_from(sweep, position, &span)) {
            spare_frame_zero(&span);
            mark_low_memory(&span);
            reserve_unreachable_ram(&span, sweep->conversion);
            if (!emit(sweep->conversion, &span))
                return false;
            position = span.range.end;
        } else if (sweep->begun_count < sweep->start_count) {
            position = sweep->next_start;
        } else {
            return true;
        }
    }
}

/* Sort the starts of all spans into `work`, and return their number. */
static size_t sort_starts(struct conversion *conversion, uint64_t *work)
{
    struct word_heap heap = {.words = work};
    size_t span_count = conversion->row_count + conversion->request->claim_count;
    for (size_t number = 0; number < span_count; number++) {
        struct span span;
        if (number < conversion->row_count)
            report_row(conversion, row_at(conversion, number));
        if (span_at(conversion, number, &span))
            word_heap_push(&heap, start_word(&span, number));
    }

    size_t count = heap.count;
    while (heap.count > 0) {
        uint64_t largest = word_heap_pop(&heap);
        work[heap.count] = largest;
    }
    return count;
}

/* --- The interface --- */

static enum memory_map_status check_request(const struct memory_map_request *request,
                                            const struct memory_map_room *room,
                                            size_t *ret_row_count)
{
    if (request->stride_bytes < sizeof(struct memory_map_descriptor) ||
        request->stride_bytes % 8 != 0 || request->size_bytes % request->stride_bytes != 0)
        return MEMORY_MAP_BAD_STRIDE;
    uint64_t row_count = request->size_bytes / request->stride_bytes;
    if (row_count == 0)
        return MEMORY_MAP_EMPTY;
    if (request->claim_count > INDEX_MASK || row_count > INDEX_MASK - request->claim_count ||
        room->work_count / 2 < row_count + request->claim_count)
        return MEMORY_MAP_TOO_MANY_ROWS;
    *ret_row_count = row_count;
    return MEMORY_MAP_OK;
}

enum memory_map_status memory_map_convert(const struct memory_map_request *request,
                                          const struct memory_map_room *room,
                                          struct memory_map_result *ret_result)
{
    struct conversion conversion = {.request = request, .room = room};
    enum memory_map_status status = check_request(request, room, &conversion.row_count);
    if (status != MEMORY_MAP_OK)
        return status;

    assume_attributes(&conversion);
    size_t span_count = conversion.row_count + request->claim_count;
    struct sweep sweep = {
        .conversion = &conversion,
        .starts = room->work,
        .start_count = sort_starts(&conversion, room->work),
        .rows = {.words = room->work + span_count},
        .claims = {.words = room->work + span_count + conversion.row_count},
    };
    if (!run_sweep(&sweep))
        return MEMORY_MAP_TOO_MANY_ROWS;
    if (conversion.result.region_count == 0)
        return MEMORY_MAP_EMPTY;
    *ret_result = conversion.result;
    return MEMORY_MAP_OK;
}
