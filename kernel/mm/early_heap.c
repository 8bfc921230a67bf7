#include "kernel/mm/early_heap.h"

#include "kernel/core/panic.h"
#include "shared/address.h"
#include "shared/power_of_two.h"

/* The footer behind every freeable block. It has the last 8 bytes before the `next` of that time.
 * Offsets count from the heap's start, in units of 8 bytes. */
struct footer {
    uint32_t previous_next : 31;       /* `next` before the block was allocated */
    uint32_t previous_is_freeable : 1; /* a freeable block ends there, too */
    uint32_t block;                    /* where the block starts */
};
_Static_assert(sizeof(struct footer) == EARLY_HEAP_GRANULE_BYTES, "a footer is one granule");

/* Round up to a multiple of a power of two. Return false if the sum wraps. */
static bool align_up(struct virt_addr address, uint64_t alignment_bytes,
                     struct virt_addr *ret_aligned)
{
    if (alignment_bytes - 1 > UINT64_MAX - address.value)
        return false;
    *ret_aligned = virt_addr((address.value + alignment_bytes - 1) & ~(alignment_bytes - 1));
    return true;
}

/* Round the region inward to whole units of 8 bytes, and check its size. */
static enum early_heap_status trim_region(struct virt_addr base, uint64_t size_bytes,
                                          struct virt_range *ret_region)
{
    struct virt_range region;
    if (!virt_range_from_base_size(base, size_bytes, &region) ||
        !align_up(region.start, EARLY_HEAP_GRANULE_BYTES, &region.start))
        return EARLY_HEAP_WRAPS;
    region.end.value &= ~(EARLY_HEAP_GRANULE_BYTES - 1);
    if (region.end.value < region.start.value ||
        virt_range_size_bytes(region) < EARLY_HEAP_SIZE_MIN_BYTES)
        return EARLY_HEAP_TOO_SMALL;
    if (virt_range_size_bytes(region) > EARLY_HEAP_SIZE_MAX_BYTES)
        return EARLY_HEAP_TOO_LARGE;
    *ret_region = region;
    return EARLY_HEAP_OK;
}

enum early_heap_status early_heap_initialise(struct early_heap *heap, struct virt_addr base,
                                             uint64_t size_bytes)
{
    struct virt_range region;
    enum early_heap_status status = trim_region(base, size_bytes, &region);
    if (status != EARLY_HEAP_OK)
        return status;
    *heap = (struct early_heap){
        .start = region.start,
        .end = region.end,
        .next = region.start,
        .mark_floor = region.start,
        .peak = region.start,
        .phase_count = 1,
        .phases = {{.name = "start"}},
    };
    return EARLY_HEAP_OK;
}

static void *pointer_to(struct virt_addr address)
{
    return (void *)(uintptr_t)address.value;
}

static void require_not_retired(const struct early_heap *heap)
{
    if (heap->retired)
        panic(PANIC_EARLY_HEAP_RETIRED, "early heap %p used after retirement",
              pointer_to(heap->start));
}

/* Find room for a block at or above `from`. Return false if size or alignment is invalid, or if
 * there is no room. */
static bool place_block(const struct early_heap *heap, struct virt_addr from, uint64_t size_bytes,
                        uint64_t alignment_bytes, struct virt_addr *ret_block)
{
    struct virt_addr block;
    if (size_bytes == 0 || !is_power_of_two(alignment_bytes))
        return false;
    if (!align_up(from, alignment_bytes, &block))
        return false;
    if (block.value > heap->end.value || size_bytes > heap->end.value - block.value)
        return false;
    *ret_block = block;
    return true;
}

/* Move `next` up to `new_next`, behind a new block, and count the block. */
static void take(struct early_heap *heap, struct virt_addr new_next, bool is_freeable)
{
    struct early_heap_phase *phase = &heap->phases[heap->phase_count - 1];
    phase->allocation_count++;
    phase->allocated_bytes += new_next.value - heap->next.value;
    heap->allocation_count++;
    heap->next = new_next;
    heap->newest_is_freeable = is_freeable;
    if (new_next.value > heap->peak.value)
        heap->peak = new_next;
}

void *early_heap_allocate(struct early_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    struct virt_addr block;
    require_not_retired(heap);
    if (!place_block(heap, heap->next, size_bytes, alignment_bytes, &block))
        return NULL;
    take(heap, virt_addr_add(block, size_bytes), false);
    return pointer_to(block);
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

static uint64_t granules(const struct early_heap *heap, struct virt_addr address)
{
    return (address.value - heap->start.value) / EARLY_HEAP_GRANULE_BYTES;
}

static struct virt_addr address_of(const struct early_heap *heap, uint64_t granule)
{
    return virt_addr_add(heap->start, granule * EARLY_HEAP_GRANULE_BYTES);
}

/* Find room for a block and the footer behind it. A footer counts in units of 8 bytes. So the block
 * and the `next` before it are aligned to 8, and up to 7 bytes behind a plain block are lost. */
static bool place_freeable(const struct early_heap *heap, struct virt_addr previous_next,
                           uint64_t size_bytes, uint64_t alignment_bytes,
                           struct virt_addr *ret_block, struct virt_addr *ret_footer)
{
    if (is_power_of_two(alignment_bytes) && alignment_bytes < EARLY_HEAP_GRANULE_BYTES)
        alignment_bytes = EARLY_HEAP_GRANULE_BYTES;
    return place_block(heap, previous_next, size_bytes, alignment_bytes, ret_block) &&
           align_up(virt_addr_add(*ret_block, size_bytes), EARLY_HEAP_GRANULE_BYTES, ret_footer) &&
           heap->end.value - ret_footer->value >= sizeof(struct footer);
}

void *early_heap_allocate_freeable(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes)
{
    struct virt_addr previous_next;
    struct virt_addr block;
    struct virt_addr footer;
    require_not_retired(heap);
    if (!align_up(heap->next, EARLY_HEAP_GRANULE_BYTES, &previous_next) ||
        !place_freeable(heap, previous_next, size_bytes, alignment_bytes, &block, &footer))
        return NULL;
    *(struct footer *)pointer_to(footer) = (struct footer){
        .previous_next = (uint32_t)granules(heap, previous_next) & UINT32_C(0x7fffffff),
        .previous_is_freeable = heap->newest_is_freeable,
        .block = (uint32_t)granules(heap, block),
    };
    take(heap, virt_addr_add(footer, sizeof(struct footer)), true);
    return pointer_to(block);
}

static struct virt_addr footer_below(struct virt_addr next)
{
    return virt_addr(next.value - sizeof(struct footer));
}

/* Read the footer of the freeable block that ends at `next`. Return false if it is invalid. */
static bool read_footer(const struct early_heap *heap, struct virt_addr next,
                        struct footer *ret_footer)
{
    if (next.value - heap->start.value < 2 * sizeof(struct footer) ||
        next.value % EARLY_HEAP_GRANULE_BYTES != 0)
        return false;
    struct virt_addr place = footer_below(next);
    struct footer footer = *(const struct footer *)pointer_to(place);
    if (footer.previous_next > footer.block || footer.block >= granules(heap, place))
        return false;
    *ret_footer = footer;
    return true;
}

/* Read the newest block's footer. Panic unless it is intact and shows that the block at `pointer`
 * may be freed. */
static struct footer require_newest(const struct early_heap *heap, const void *pointer)
{
    struct footer footer;
    if (!heap->newest_is_freeable)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, but the newest block cannot be freed",
              pointer);
    if (!read_footer(heap, heap->next, &footer))
        panic(PANIC_EARLY_HEAP_CORRUPT, "early heap: footer at %p overwritten",
              pointer_to(footer_below(heap->next)));
    struct virt_addr newest = address_of(heap, footer.block);
    if (pointer_to(newest) != pointer)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, but the newest block is %p", pointer,
              pointer_to(newest));
    if (newest.value < heap->mark_floor.value)
        panic(PANIC_EARLY_HEAP_FREE, "early heap: free of %p, which is older than the mark at %p",
              pointer, pointer_to(heap->mark_floor));
    return footer;
}

void early_heap_free(struct early_heap *heap, void *pointer)
{
    require_not_retired(heap);
    if (pointer == NULL)
        return;
    struct footer footer = require_newest(heap, pointer);
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
    /* The newest valid mark is mark_floor. So a mark above it was released or dropped before. */
    if (mark.next.value > heap->mark_floor.value || mark.next.value < heap->start.value ||
        mark.mark_floor.value > mark.next.value)
        panic(PANIC_EARLY_HEAP_FREE,
              "early heap: release of the mark at %p, but the newest mark is %p",
              pointer_to(mark.next), pointer_to(heap->mark_floor));
    heap->next = mark.next;
    heap->newest_is_freeable = mark.newest_is_freeable;
    heap->mark_floor = mark.mark_floor;
}

void early_heap_begin_phase(struct early_heap *heap, const char *name)
{
    require_not_retired(heap);
    kernel_assert(heap->phase_count < EARLY_HEAP_PHASES_MAX);
    heap->phases[heap->phase_count] = (struct early_heap_phase){.name = name};
    heap->phase_count++;
}

struct virt_range early_heap_retire(struct early_heap *heap)
{
    struct virt_range untouched;
    require_not_retired(heap);
    heap->retired = true;
    untouched.end = virt_addr(page_align_down(heap->end.value));
    if (!align_up(heap->next, PAGE_SIZE_BYTES, &untouched.start) ||
        untouched.start.value > untouched.end.value)
        untouched.start = untouched.end;
    return untouched;
}

struct early_heap_statistics early_heap_statistics(const struct early_heap *heap)
{
    return (struct early_heap_statistics){
        .size_bytes = heap->end.value - heap->start.value,
        .used_bytes = heap->next.value - heap->start.value,
        .free_bytes = heap->end.value - heap->next.value,
        .peak_bytes = heap->peak.value - heap->start.value,
        .allocation_count = heap->allocation_count,
    };
}

static const char *check_footers(const struct early_heap *heap)
{
    struct footer footer = {.previous_is_freeable = heap->newest_is_freeable};
    struct virt_addr next = heap->next;
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
    if (allocated_bytes < heap->peak.value - heap->start.value)
        return "the phases used less than the peak";
    return NULL;
}

const char *early_heap_check(const struct early_heap *heap)
{
    const uint64_t start = heap->start.value;
    const uint64_t end = heap->end.value;
    const uint64_t next = heap->next.value;
    if (start % EARLY_HEAP_GRANULE_BYTES != 0 || end % EARLY_HEAP_GRANULE_BYTES != 0)
        return "the region is not aligned";
    if (next < start || next > end)
        return "next lies outside the region";
    if (heap->peak.value < next || heap->peak.value > end)
        return "the peak lies outside [next, end]";
    if (heap->mark_floor.value < start || heap->mark_floor.value > next)
        return "the newest mark lies outside [start, next]";
    const char *problem = check_phases(heap);
    return problem != NULL ? problem : check_footers(heap);
}
