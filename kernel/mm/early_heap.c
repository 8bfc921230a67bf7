#include "kernel/mm/early_heap.h"

#include "kernel/core/panic.h"
#include "shared/address.h"
#include "shared/power_of_two.h"

/* Behind every freeable block, at the last 8 bytes before the `next` of that moment. Offsets count
 * from the heap's start, in granules of 8 bytes. */
struct footer {
    uint32_t previous_next : 31;       /* `next` before the block was allocated */
    uint32_t previous_is_freeable : 1; /* what ends there is a freeable block too */
    uint32_t block;                    /* where the block starts */
};
_Static_assert(sizeof(struct footer) == EARLY_HEAP_GRANULE_BYTES, "a footer is one granule");

const char *early_heap_status_text(enum early_heap_status status)
{
    switch (status) {
    case EARLY_HEAP_OK:
        return "ok";
    case EARLY_HEAP_WRAPS:
        return "region wraps the address space";
    case EARLY_HEAP_TOO_SMALL:
        return "region below the minimum size";
    case EARLY_HEAP_TOO_LARGE:
        return "region above the maximum size";
    }
    return "unknown status";
}

/* Round up to a power of two. False if that wraps. */
static bool align_up(uintptr_t value, uint64_t alignment_bytes, uintptr_t *ret_aligned)
{
    if (alignment_bytes - 1 > UINTPTR_MAX - value)
        return false;
    *ret_aligned = (value + alignment_bytes - 1) & ~(alignment_bytes - 1);
    return true;
}

enum early_heap_status early_heap_initialise(struct early_heap *heap, void *base,
                                             uint64_t size_bytes)
{
    struct range region;
    uintptr_t start;
    if (!range_from_base_size((uintptr_t)base, size_bytes, &region) ||
        !align_up(region.start, EARLY_HEAP_GRANULE_BYTES, &start))
        return EARLY_HEAP_WRAPS;
    uintptr_t end = region.end & ~(EARLY_HEAP_GRANULE_BYTES - 1);
    if (end < start || end - start < EARLY_HEAP_SIZE_MIN_BYTES)
        return EARLY_HEAP_TOO_SMALL;
    if (end - start > EARLY_HEAP_SIZE_MAX_BYTES)
        return EARLY_HEAP_TOO_LARGE;
    *heap = (struct early_heap){
        .start = start,
        .end = end,
        .next = start,
        .mark_floor = start,
        .peak = start,
        .phase_count = 1,
        .phases = {{.name = "start"}},
    };
    return EARLY_HEAP_OK;
}

static void require_not_retired(const struct early_heap *heap)
{
    if (heap->retired)
        panic(PANIC_EARLY_HEAP_RETIRED, "early heap %p used after retirement", (void *)heap->start);
}

/* Find room for a block at or above `from`. False on a bad size or alignment, or without room. */
static bool place_block(const struct early_heap *heap, uintptr_t from, uint64_t size_bytes,
                        uint64_t alignment_bytes, uintptr_t *ret_block)
{
    uintptr_t block;
    if (size_bytes == 0 || !is_power_of_two(alignment_bytes))
        return false;
    if (!align_up(from, alignment_bytes, &block))
        return false;
    if (block > heap->end || size_bytes > heap->end - block)
        return false;
    *ret_block = block;
    return true;
}

/* Move `next` up to `new_next`, behind a block that was placed, and count it. */
static void take(struct early_heap *heap, uintptr_t new_next, bool is_freeable)
{
    struct early_heap_phase *phase = &heap->phases[heap->phase_count - 1];
    phase->allocation_count++;
    phase->allocated_bytes += new_next - heap->next;
    heap->allocation_count++;
    heap->next = new_next;
    heap->newest_is_freeable = is_freeable;
    if (new_next > heap->peak)
        heap->peak = new_next;
}

void *early_heap_allocate(struct early_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    uintptr_t block;
    require_not_retired(heap);
    if (!place_block(heap, heap->next, size_bytes, alignment_bytes, &block))
        return NULL;
    take(heap, block + size_bytes, false);
    return (void *)block;
}

void *early_heap_allocate_or_panic(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes)
{
    void *block = early_heap_allocate(heap, size_bytes, alignment_bytes);
    if (block == NULL) {
        struct early_heap_statistics usage = early_heap_statistics(heap);
        panic(PANIC_EARLY_HEAP_EXHAUSTED,
              "early heap cannot give %llu bytes aligned to %llu: used %llu of %llu, free %llu, "
              "peak %llu",
              (unsigned long long)size_bytes, (unsigned long long)alignment_bytes,
              (unsigned long long)usage.used_bytes, (unsigned long long)usage.size_bytes,
              (unsigned long long)usage.free_bytes, (unsigned long long)usage.peak_bytes);
    }
    return block;
}

static uint64_t granules(const struct early_heap *heap, uintptr_t address)
{
    return (address - heap->start) / EARLY_HEAP_GRANULE_BYTES;
}

static uintptr_t address_of(const struct early_heap *heap, uint64_t granule)
{
    return heap->start + granule * EARLY_HEAP_GRANULE_BYTES;
}

void *early_heap_allocate_freeable(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes)
{
    uintptr_t previous_next;
    uintptr_t block;
    uintptr_t block_end;
    require_not_retired(heap);
    /* A footer can name granules only, so the block and the `next` to return to are aligned to
     * them; up to 7 bytes behind a plain block stay lost. */
    if (!align_up(heap->next, EARLY_HEAP_GRANULE_BYTES, &previous_next))
        return NULL;
    if (is_power_of_two(alignment_bytes) && alignment_bytes < EARLY_HEAP_GRANULE_BYTES)
        alignment_bytes = EARLY_HEAP_GRANULE_BYTES;
    if (!place_block(heap, previous_next, size_bytes, alignment_bytes, &block) ||
        !align_up(block + size_bytes, EARLY_HEAP_GRANULE_BYTES, &block_end) ||
        heap->end - block_end < sizeof(struct footer))
        return NULL;
    *(struct footer *)block_end = (struct footer){
        .previous_next = (uint32_t)granules(heap, previous_next) & UINT32_C(0x7fffffff),
        .previous_is_freeable = heap->newest_is_freeable,
        .block = (uint32_t)granules(heap, block),
    };
    take(heap, block_end + sizeof(struct footer), true);
    return (void *)block;
}

/* Read the footer of the freeable block that ends at `next`. False if it makes no sense. */
static bool read_footer(const struct early_heap *heap, uintptr_t next, struct footer *ret_footer)
{
    if (next - heap->start < 2 * sizeof(struct footer) || next % EARLY_HEAP_GRANULE_BYTES != 0)
        return false;
    uintptr_t place = next - sizeof(struct footer);
    struct footer footer = *(const struct footer *)place;
    if (footer.previous_next > footer.block || footer.block >= granules(heap, place))
        return false;
    *ret_footer = footer;
    return true;
}

void early_heap_free(struct early_heap *heap, void *pointer)
{
    struct footer footer;
    require_not_retired(heap);
    if (pointer == NULL)
        return;
    if (!heap->newest_is_freeable)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, but the newest block is not freeable",
              pointer);
    if (!read_footer(heap, heap->next, &footer))
        panic(PANIC_EARLY_HEAP_CORRUPT, "early heap: footer at %p overwritten",
              (void *)(heap->next - sizeof(struct footer)));
    uintptr_t newest = address_of(heap, footer.block);
    if (newest != (uintptr_t)pointer)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, but the newest block is %p", pointer,
              (void *)newest);
    if (newest < heap->mark_floor)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, which is older than the mark at %p",
              pointer, (void *)heap->mark_floor);
    heap->next = address_of(heap, footer.previous_next);
    heap->newest_is_freeable = footer.previous_is_freeable;
}

struct early_heap_mark early_heap_mark(struct early_heap *heap)
{
    require_not_retired(heap);
    struct early_heap_mark mark = {heap->next, heap->mark_floor, heap->newest_is_freeable};
    heap->mark_floor = heap->next;
    return mark;
}

void early_heap_release(struct early_heap *heap, struct early_heap_mark mark)
{
    require_not_retired(heap);
    /* The newest standing mark is mark_floor, so one above it was released or forgotten before. */
    if (mark.next > heap->mark_floor || mark.next < heap->start || mark.mark_floor > mark.next)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: release of the mark at %p, newest mark is %p",
              (void *)mark.next, (void *)heap->mark_floor);
    heap->next = mark.next;
    heap->newest_is_freeable = mark.newest_is_freeable;
    heap->mark_floor = mark.mark_floor;
}

void early_heap_reset(struct early_heap *heap)
{
    require_not_retired(heap);
    heap->next = heap->start;
    heap->mark_floor = heap->start;
    heap->newest_is_freeable = false;
}

void early_heap_begin_phase(struct early_heap *heap, const char *name)
{
    require_not_retired(heap);
    kernel_assert(heap->phase_count < EARLY_HEAP_PHASES_MAX);
    heap->phases[heap->phase_count] = (struct early_heap_phase){.name = name};
    heap->phase_count++;
}

struct range early_heap_retire(struct early_heap *heap)
{
    struct range untouched;
    require_not_retired(heap);
    heap->retired = true;
    untouched.end = page_align_down(heap->end);
    if (!align_up(heap->next, PAGE_SIZE_BYTES, &untouched.start) || untouched.start > untouched.end)
        untouched.start = untouched.end;
    return untouched;
}

struct early_heap_statistics early_heap_statistics(const struct early_heap *heap)
{
    return (struct early_heap_statistics){
        .size_bytes = heap->end - heap->start,
        .used_bytes = heap->next - heap->start,
        .free_bytes = heap->end - heap->next,
        .peak_bytes = heap->peak - heap->start,
        .allocation_count = heap->allocation_count,
    };
}

static const char *check_footers(const struct early_heap *heap)
{
    struct footer footer = {.previous_is_freeable = heap->newest_is_freeable};
    uintptr_t next = heap->next;
    while (footer.previous_is_freeable) {
        if (!read_footer(heap, next, &footer))
            return "a footer was overwritten";
        next = address_of(heap, footer.previous_next);
    }
    return NULL;
}

static const char *check_phases(const struct early_heap *heap)
{
    uint64_t allocation_count = 0;
    uint64_t allocated_bytes = 0;
    if (heap->phase_count == 0 || heap->phase_count > EARLY_HEAP_PHASES_MAX)
        return "the number of phases is impossible";
    for (uint32_t i = 0; i < heap->phase_count; i++) {
        allocation_count += heap->phases[i].allocation_count;
        allocated_bytes += heap->phases[i].allocated_bytes;
    }
    if (allocation_count != heap->allocation_count)
        return "the phases do not add up to the number of allocations";
    if (allocated_bytes < heap->peak - heap->start)
        return "the phases took less than the peak";
    return NULL;
}

const char *early_heap_check(const struct early_heap *heap)
{
    if (heap->start % EARLY_HEAP_GRANULE_BYTES != 0 || heap->end % EARLY_HEAP_GRANULE_BYTES != 0)
        return "the region is not aligned";
    if (heap->next < heap->start || heap->next > heap->end)
        return "next lies outside the region";
    if (heap->peak < heap->next || heap->peak > heap->end)
        return "the peak lies outside [next, end]";
    if (heap->mark_floor < heap->start || heap->mark_floor > heap->next)
        return "the newest mark lies outside [start, next]";
    const char *problem = check_phases(heap);
    return problem != NULL ? problem : check_footers(heap);
}
