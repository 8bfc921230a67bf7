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
 * are sorted once; the rows that have begun wait in a heap with the highest precedence on top, and
 * are dropped only when they reach the top and have ended. So the time is O(n log n) and the space
 * 2 × n words, without recursion, for every order of the rows.
 */
#include "bootloader/pure/memory_map.h"

#include <stdbool.h>

#include "shared/address.h"
#include "shared/memory.h"
#include "shared/range.h"
#include "shared/region.h"

/* UEFI 2.10, 7.2.1: EFI_MEMORY_TYPE. */
enum efi_memory_type {
    EFI_TYPE_RESERVED,
    EFI_TYPE_LOADER_CODE,
    EFI_TYPE_LOADER_DATA,
    EFI_TYPE_BOOT_SERVICES_CODE,
    EFI_TYPE_BOOT_SERVICES_DATA,
    EFI_TYPE_RUNTIME_SERVICES_CODE,
    EFI_TYPE_RUNTIME_SERVICES_DATA,
    EFI_TYPE_CONVENTIONAL,
    EFI_TYPE_UNUSABLE,
    EFI_TYPE_ACPI_RECLAIM,
    EFI_TYPE_ACPI_NVS,
    EFI_TYPE_MEMORY_MAPPED_IO,
    EFI_TYPE_MEMORY_MAPPED_IO_PORT_SPACE,
    EFI_TYPE_PAL_CODE,
    EFI_TYPE_PERSISTENT,
    EFI_TYPE_UNACCEPTED,
    EFI_TYPE_COUNT
};

/* Where the real mode of x86 ends. */
#define LOW_MEMORY_LIMIT_BYTES (UINT64_C(1) << 20)

/* UEFI 2.10, 7.2.3: the attributes that decide whether RAM may be used like RAM. */
#define ATTRIBUTE_WRITE_BACK       UINT64_C(0x8)
#define ATTRIBUTE_SPECIFIC_PURPOSE UINT64_C(0x40000)
#define ATTRIBUTE_RUNTIME          UINT64_C(0x8000000000000000)

/* A word of work space holds a page number (40 bits) or a precedence above an index. */
#define INDEX_BITS 24
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

const char *memory_map_status_text(enum memory_map_status status)
{
    switch (status) {
    case MEMORY_MAP_OK:
        return "The memory map is good.";
    case MEMORY_MAP_EMPTY:
        return "The firmware's memory map has no usable row.";
    case MEMORY_MAP_BAD_STRIDE:
        return "The firmware's memory map has an impossible descriptor size.";
    case MEMORY_MAP_TOO_MANY_ROWS:
        return "The firmware's memory map has more rows than there is room for.";
    }
    return "The firmware's memory map is bad in an unknown way.";
}

/* --- Types --- */

/* What a kernel may take sooner or later. */
static bool type_can_become_free(enum handoff_region_type type)
{
    return type == HANDOFF_REGION_USABLE || type == HANDOFF_REGION_BOOT_SERVICES ||
           type == HANDOFF_REGION_LOADER || type == HANDOFF_REGION_ACPI_RECLAIM ||
           type == HANDOFF_REGION_LOW_MEMORY;
}

static bool type_is_ram(enum handoff_region_type type)
{
    return (region_type_facts((uint32_t)type) & HANDOFF_FACT_RAM) != 0;
}

static bool type_wins_over(enum handoff_region_type a, enum handoff_region_type b)
{
    return region_type_precedence((uint32_t)a) > region_type_precedence((uint32_t)b);
}

/* RAM is mapped write-back, so a row that must not be is not RAM. What a kernel may take, moreover,
 * must be nobody's and of no special purpose. */
static bool attributes_forbid_use(enum handoff_region_type type, uint64_t attributes)
{
    if (!type_is_ram(type))
        return false;
    return (attributes & ATTRIBUTE_WRITE_BACK) == 0 ||
           (type_can_become_free(type) &&
            (attributes & (ATTRIBUTE_SPECIFIC_PURPOSE | ATTRIBUTE_RUNTIME)) != 0);
}

static enum handoff_region_type type_without_attributes(uint32_t efi_type)
{
    switch (efi_type) {
    case EFI_TYPE_CONVENTIONAL:
        return HANDOFF_REGION_USABLE;
    case EFI_TYPE_BOOT_SERVICES_CODE:
    case EFI_TYPE_BOOT_SERVICES_DATA:
        return HANDOFF_REGION_BOOT_SERVICES;
    case EFI_TYPE_LOADER_CODE:
    case EFI_TYPE_LOADER_DATA:
        return HANDOFF_REGION_LOADER;
    case EFI_TYPE_ACPI_RECLAIM:
        return HANDOFF_REGION_ACPI_RECLAIM;
    case EFI_TYPE_ACPI_NVS:
        return HANDOFF_REGION_ACPI_NVS;
    case EFI_TYPE_RUNTIME_SERVICES_DATA:
        return HANDOFF_REGION_RUNTIME_DATA;
    case EFI_TYPE_RUNTIME_SERVICES_CODE:
        return HANDOFF_REGION_RUNTIME_CODE;
    case EFI_TYPE_PERSISTENT:
        return HANDOFF_REGION_PERSISTENT;
    case EFI_TYPE_UNACCEPTED:
        return HANDOFF_REGION_UNACCEPTED;
    case EFI_TYPE_MEMORY_MAPPED_IO:
    case EFI_TYPE_MEMORY_MAPPED_IO_PORT_SPACE:
    case EFI_TYPE_PAL_CODE:
        return HANDOFF_REGION_MMIO;
    case EFI_TYPE_UNUSABLE:
        return HANDOFF_REGION_BAD;
    default:
        return HANDOFF_REGION_RESERVED;
    }
}

enum handoff_region_type memory_map_region_type(uint32_t efi_type, uint64_t attributes)
{
    enum handoff_region_type type = type_without_attributes(efi_type);
    return attributes_forbid_use(type, attributes) ? HANDOFF_REGION_RESERVED : type;
}

/* --- Rows and claims --- */

/* A firmware row or a claim, in whole pages. */
struct span {
    struct range range;
    enum handoff_region_type type;
    uint32_t efi_type;
    uint64_t attributes;
};

struct conversion {
    const uint8_t *map;
    uint64_t stride_bytes;
    size_t row_count;
    uint64_t ram_limit_bytes;
    const struct memory_map_claim *claims;
    size_t claim_count;
    struct handoff_region *regions;
    size_t region_capacity;
    size_t region_count;
    struct memory_map_report report;
};

static struct memory_map_descriptor descriptor_at(const struct conversion *conversion, size_t row)
{
    struct memory_map_descriptor descriptor;
    memcpy(&descriptor, conversion->map + row * conversion->stride_bytes, sizeof(descriptor));
    return descriptor;
}

/* What a row covers, in bytes. False if it wraps or lies above any x86-64 CPU's memory. */
static bool descriptor_range(const struct memory_map_descriptor *descriptor,
                             struct range *ret_range)
{
    return descriptor->page_count <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES / PAGE_SIZE_BYTES &&
           range_from_base_size(descriptor->physical_start,
                                descriptor->page_count * PAGE_SIZE_BYTES, ret_range) &&
           ret_range->end <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES;
}

/* To whole pages. A page that is only partly free RAM is not free, so what can become free
 * shrinks; a page that is partly something else is not free either, so the rest grows. */
static struct range to_whole_pages(struct range range, enum handoff_region_type type)
{
    if (!type_can_become_free(type))
        return (struct range){page_align_down(range.start), page_align_up(range.end)};
    uint64_t start = page_align_up(range.start);
    uint64_t end = page_align_down(range.end);
    return (struct range){start, end > start ? end : start};
}

/* The span of one row. False if the row has nothing to say. */
static bool row_span(const struct conversion *conversion, size_t row, struct span *ret_span)
{
    struct memory_map_descriptor descriptor = descriptor_at(conversion, row);
    struct range range;
    if (descriptor.page_count == 0 || !descriptor_range(&descriptor, &range))
        return false;
    enum handoff_region_type type = memory_map_region_type(descriptor.type, descriptor.attribute);
    *ret_span = (struct span){
        .range = to_whole_pages(range, type),
        .type = type,
        .efi_type = descriptor.type,
        .attributes = descriptor.attribute,
    };
    return !range_is_empty(ret_span->range);
}

static struct span claim_span(const struct conversion *conversion, size_t index)
{
    const struct memory_map_claim *claim = &conversion->claims[index];
    return (struct span){
        .range = {claim->base, claim->base + claim->size_bytes},
        .type = claim->type,
        .efi_type = HANDOFF_EFI_TYPE_NONE,
    };
}

/* Rows are numbered from 0, claims behind them. The number must be of a span that was sorted in. */
static struct span span_at(const struct conversion *conversion, uint64_t number)
{
    struct span span = {0};
    if (number >= conversion->row_count)
        return claim_span(conversion, number - conversion->row_count);
    (void)row_span(conversion, number, &span);
    return span;
}

static void report_row(const struct memory_map_descriptor *descriptor,
                       struct memory_map_report *report)
{
    struct range range;
    if (descriptor->page_count == 0) {
        report->dropped_empty++;
        return;
    }
    if (!descriptor_range(descriptor, &range)) {
        report->dropped_wrapping++;
        return;
    }
    enum handoff_region_type type = type_without_attributes(descriptor->type);
    if (!page_is_aligned(descriptor->physical_start))
        report->shrunk_unaligned++;
    if (descriptor->type >= EFI_TYPE_COUNT)
        report->unknown_types++;
    if (attributes_forbid_use(type, descriptor->attribute))
        report->unusable_attributes++;
}

/* --- A heap of words, the largest on top --- */

struct word_heap {
    uint64_t *words;
    size_t count;
};

static void swap_words(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void word_heap_push(struct word_heap *heap, uint64_t word)
{
    size_t place = heap->count++;
    heap->words[place] = word;
    while (place > 0 && heap->words[(place - 1) / 2] < heap->words[place]) {
        swap_words(&heap->words[(place - 1) / 2], &heap->words[place]);
        place = (place - 1) / 2;
    }
}

static uint64_t word_heap_pop(struct word_heap *heap)
{
    uint64_t top = heap->words[0];
    heap->words[0] = heap->words[--heap->count];
    size_t place = 0;
    for (;;) {
        size_t larger = 2 * place + 1;
        if (larger >= heap->count)
            return top;
        if (larger + 1 < heap->count && heap->words[larger + 1] > heap->words[larger])
            larger++;
        if (heap->words[place] >= heap->words[larger])
            return top;
        swap_words(&heap->words[place], &heap->words[larger]);
        place = larger;
    }
}

/* --- The sweep --- */

struct sweep {
    struct conversion *conversion;
    const uint64_t *starts; /* page number of the start, then the span's number: ascending */
    size_t start_count;
    size_t next_start;
    struct word_heap rows; /* precedence, then the span's number inverted: the first row wins */
    struct word_heap claims;
};

static uint64_t start_word(struct span span, uint64_t number)
{
    return (span.range.start / PAGE_SIZE_BYTES) << INDEX_BITS | number;
}

/* A claim of firmware tables comes last: what the loader placed is never hidden by a table that is
 * said to lie there. */
static uint64_t waiting_word(struct span span, uint64_t number)
{
    uint64_t precedence = span.type == HANDOFF_REGION_FIRMWARE_TABLES
                              ? 0
                              : region_type_precedence((uint32_t)span.type);
    return precedence << INDEX_BITS | (INDEX_MASK - number);
}

static uint64_t next_start_address(const struct sweep *sweep)
{
    if (sweep->next_start == sweep->start_count)
        return UINT64_MAX;
    return (sweep->starts[sweep->next_start] >> INDEX_BITS) * PAGE_SIZE_BYTES;
}

/* The span on top of a heap, after those that have ended were dropped. False if none is left. */
static bool top_span(const struct sweep *sweep, struct word_heap *heap, uint64_t position,
                     struct span *ret_span)
{
    while (heap->count > 0) {
        struct span span = span_at(sweep->conversion, INDEX_MASK - (heap->words[0] & INDEX_MASK));
        if (span.range.end > position) {
            *ret_span = span;
            return true;
        }
        (void)word_heap_pop(heap);
    }
    return false;
}

static bool same_meaning(struct span a, struct span b)
{
    return a.type == b.type && a.efi_type == b.efi_type && a.attributes == b.attributes;
}

/* Let everything that starts at or before the position wait in its heap. */
static void begin_spans(struct sweep *sweep, uint64_t position)
{
    while (next_start_address(sweep) <= position) {
        uint64_t number = sweep->starts[sweep->next_start++] & INDEX_MASK;
        struct span span = span_at(sweep->conversion, number);
        struct span covering;
        if (number >= sweep->conversion->row_count) {
            word_heap_push(&sweep->claims, waiting_word(span, number));
            continue;
        }
        if (top_span(sweep, &sweep->rows, position, &covering) && !same_meaning(span, covering))
            sweep->conversion->report.overlapping++;
        word_heap_push(&sweep->rows, waiting_word(span, number));
    }
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A claim says where the loader placed something, so a row of RAM has to be below it: without one,
 * or under a row that outweighs it, the place is not in the direct map. */
static void note_claim(struct memory_map_report *report, struct span claim, const struct span *row,
                       uint64_t position)
{
    if (!type_is_ram(claim.type) || report->unproven_claim.size_bytes != 0 ||
        (row != NULL && !type_wins_over(row->type, claim.type)))
        return;
    report->unproven_claim =
        (struct memory_map_claim){position, claim.range.end - position, claim.type};
}

/* Firmware tables get a type of their own only in reserved memory and where no row is. In RAM a
 * kernel reaches them anyway. Every other type says already what the memory is for. */
static bool claim_applies(struct span claim, const struct span *row)
{
    if (row == NULL)
        return true;
    if (claim.type == HANDOFF_REGION_FIRMWARE_TABLES)
        return row->type == HANDOFF_REGION_RESERVED;
    return type_wins_over(claim.type, row->type);
}

/* What holds from the position on, and up to where. False if nothing covers the position. */
static bool span_from(struct sweep *sweep, uint64_t position, struct span *ret_span)
{
    struct span row;
    struct span claim;
    bool has_row = top_span(sweep, &sweep->rows, position, &row);
    bool has_claim = top_span(sweep, &sweep->claims, position, &claim);
    if (!has_row && !has_claim)
        return false;

    struct span result = has_row ? row : claim;
    result.range = (struct range){position, lower(result.range.end, next_start_address(sweep))};
    if (has_row && has_claim) {
        result.range.end = lower(result.range.end, claim.range.end);
        if (claim_applies(claim, &row))
            result.type = claim.type;
    }
    if (has_claim)
        note_claim(&sweep->conversion->report, claim, has_row ? &row : NULL, position);
    *ret_span = result;
    return true;
}

/* Append to the regions, or lengthen the last one. False if there is no room. */
static bool emit(struct conversion *conversion, struct span span)
{
    if (conversion->region_count > 0) {
        struct handoff_region *last = &conversion->regions[conversion->region_count - 1];
        struct span last_span = {.type = (enum handoff_region_type)last->type,
                                 .efi_type = last->efi_type,
                                 .attributes = last->attributes};
        if (last->base + last->size_bytes == span.range.start && same_meaning(last_span, span)) {
            last->size_bytes += range_size_bytes(span.range);
            return true;
        }
    }
    if (conversion->region_count == conversion->region_capacity)
        return false;
    conversion->regions[conversion->region_count++] =
        region_make(span.range.start, range_size_bytes(span.range), (uint32_t)span.type,
                    span.efi_type, span.attributes);
    return true;
}

/* Frame 0 is nobody's: its address reads as "none" everywhere, and old firmware keeps its vectors
 * there. So the span at 0 ends after one page, and that page never becomes free. */
static struct span without_frame_zero(struct span span)
{
    if (span.range.start != 0)
        return span;
    span.range.end = PAGE_SIZE_BYTES;
    if (type_can_become_free(span.type))
        span.type = HANDOFF_REGION_RESERVED;
    return span;
}

/* Firmware writes below 1 MiB after it has called that memory free, and processors start there: so
 * it is never handed over as ordinary RAM. Only the type of what could become free changes. */
static struct span with_low_memory(struct span span)
{
    if (span.range.start >= LOW_MEMORY_LIMIT_BYTES || !type_can_become_free(span.type) ||
        span.type == HANDOFF_REGION_ACPI_RECLAIM)
        return span;
    if (span.range.end > LOW_MEMORY_LIMIT_BYTES)
        span.range.end = LOW_MEMORY_LIMIT_BYTES;
    span.type = HANDOFF_REGION_LOW_MEMORY;
    return span;
}

/* RAM that the direct map does not reach could not be used: it is not handed over as RAM. */
static struct span without_unreachable_ram(struct span span, struct conversion *conversion)
{
    uint64_t limit_bytes = conversion->ram_limit_bytes;
    if (!type_is_ram(span.type) || span.range.end <= limit_bytes)
        return span;
    if (span.range.start < limit_bytes) {
        span.range.end = limit_bytes;
        return span;
    }
    span.type = HANDOFF_REGION_RESERVED;
    conversion->report.unreachable_bytes += range_size_bytes(span.range);
    return span;
}

static bool run_sweep(struct sweep *sweep)
{
    uint64_t position = 0;
    for (;;) {
        begin_spans(sweep, position);
        struct span span;
        if (span_from(sweep, position, &span)) {
            span = with_low_memory(without_frame_zero(span));
            span = without_unreachable_ram(span, sweep->conversion);
            if (!emit(sweep->conversion, span))
                return false;
            position = span.range.end;
        } else if (sweep->next_start < sweep->start_count) {
            position = next_start_address(sweep);
        } else {
            return true;
        }
    }
}

/* Sort the starts of all spans into `work`; returns how many there are. */
static size_t sort_starts(struct conversion *conversion, uint64_t *work)
{
    struct word_heap heap = {.words = work};
    for (size_t row = 0; row < conversion->row_count; row++) {
        struct memory_map_descriptor descriptor = descriptor_at(conversion, row);
        report_row(&descriptor, &conversion->report);
        struct span span;
        if (row_span(conversion, row, &span))
            word_heap_push(&heap, start_word(span, row));
    }
    for (size_t i = 0; i < conversion->claim_count; i++) {
        struct span span = claim_span(conversion, i);
        if (!range_is_empty(span.range))
            word_heap_push(&heap, start_word(span, conversion->row_count + i));
    }

    size_t count = heap.count;
    while (heap.count > 0) {
        uint64_t largest = word_heap_pop(&heap);
        work[heap.count] = largest;
    }
    return count;
}

/* A framebuffer is laid over everything. Where it covers what the loader placed, the firmware has
 * stated it wrongly: both cannot be there. */
static void note_claims_below_framebuffers(struct conversion *conversion)
{
    struct memory_map_report *report = &conversion->report;
    for (size_t i = 0; i < conversion->claim_count; i++) {
        struct span screen = claim_span(conversion, i);
        if (screen.type != HANDOFF_REGION_FRAMEBUFFER)
            continue;
        for (size_t j = 0; j < conversion->claim_count; j++) {
            struct span claim = claim_span(conversion, j);
            if (!type_is_ram(claim.type) || report->unproven_claim.size_bytes != 0 ||
                !range_overlaps(screen.range, claim.range))
                continue;
            uint64_t start =
                screen.range.start > claim.range.start ? screen.range.start : claim.range.start;
            report->unproven_claim = (struct memory_map_claim){
                start, lower(screen.range.end, claim.range.end) - start, claim.type};
        }
    }
}

enum memory_map_status memory_map_convert(const void *map, uint64_t map_size_bytes,
                                          uint64_t stride_bytes, uint64_t ram_limit_bytes,
                                          const struct memory_map_claim *claims, size_t claim_count,
                                          uint64_t *work, size_t work_count,
                                          struct handoff_region *regions, size_t region_capacity,
                                          size_t *ret_count, struct memory_map_report *ret_report)
{
    if (stride_bytes < sizeof(struct memory_map_descriptor) || stride_bytes % 8 != 0 ||
        map_size_bytes % stride_bytes != 0)
        return MEMORY_MAP_BAD_STRIDE;
    uint64_t row_count = map_size_bytes / stride_bytes;
    if (row_count == 0)
        return MEMORY_MAP_EMPTY;
    if (claim_count > INDEX_MASK || row_count > INDEX_MASK - claim_count ||
        work_count / 2 < row_count + claim_count)
        return MEMORY_MAP_TOO_MANY_ROWS;

    struct conversion conversion = {
        .map = map,
        .stride_bytes = stride_bytes,
        .row_count = row_count,
        .ram_limit_bytes = ram_limit_bytes,
        .claims = claims,
        .claim_count = claim_count,
        .regions = regions,
        .region_capacity = region_capacity,
    };
    struct sweep sweep = {
        .conversion = &conversion,
        .starts = work,
        .start_count = sort_starts(&conversion, work),
        .rows = {.words = work + row_count + claim_count},
        .claims = {.words = work + 2 * row_count + claim_count},
    };
    if (!run_sweep(&sweep))
        return MEMORY_MAP_TOO_MANY_ROWS;
    if (conversion.region_count == 0)
        return MEMORY_MAP_EMPTY;
    note_claims_below_framebuffers(&conversion);
    *ret_count = conversion.region_count;
    *ret_report = conversion.report;
    return MEMORY_MAP_OK;
}
