#include "kernel/measure.h"

#include "kernel/log.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"

/* A whole table, and eight words of frames, so that the dear call in 64 is in the average. */
#define PAGE_COUNT 512
/* Translations that are in use when everything is invalidated: about as many as the smallest CPU
 * keeps at hand, and as QEMU does. */
#define REFILL_COUNT 64
#define RANGE        (PAGE_COUNT * PAGE_SIZE_BYTES)
/* The first round warms the caches and fills in what is made on first use. */
#define ROUND_COUNT 4
/* So many that one call invalidates everything. */
#define MANY_PAGES_BYTES (GIB)

static const struct page_permissions READ_WRITE = {.write = true, .global = true};

static struct virt_addr page_at(uint64_t index)
{
    return virt_addr(LAYOUT_SELF_TEST_BASE + index * PAGE_SIZE_BYTES);
}

static void require_ok(enum page_table_status status)
{
    kernel_assert(status == PAGE_TABLE_OK);
}

/* What is measured: `run` is timed, `undo` is not. */
struct measurement {
    const char *name;
    uint64_t count; /* of calls that `run` makes */
    void (*run)(struct kernel *kernel, struct phys_addr *frames);
    void (*undo)(struct kernel *kernel, struct phys_addr *frames);
};

static void allocate_each(struct kernel *kernel, struct phys_addr *frames)
{
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        bool allocated = frame_allocator_allocate(&kernel->frames, &frames[i]);
        kernel_assert(allocated);
    }
}

static void free_each(struct kernel *kernel, struct phys_addr *frames)
{
    for (size_t i = 0; i < PAGE_COUNT; i++)
        frame_allocator_free(&kernel->frames, frames[i]);
}

static void free_newest_first(struct kernel *kernel, struct phys_addr *frames)
{
    for (size_t i = PAGE_COUNT; i-- > 0;)
        frame_allocator_free(&kernel->frames, frames[i]);
}

static void map_each(struct kernel *kernel, struct phys_addr *frames)
{
    for (size_t i = 0; i < PAGE_COUNT; i++)
        require_ok(page_table_map(&kernel->address_space.table, page_at(i), frames[i],
                                  PAGE_SIZE_BYTES, READ_WRITE, false));
}

static void unmap_each(struct kernel *kernel, struct phys_addr *frames)
{
    (void)frames;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        require_ok(page_table_unmap(&kernel->address_space.table, page_at(i), PAGE_SIZE_BYTES));
}

static void unmap_range(struct kernel *kernel, struct phys_addr *frames)
{
    (void)frames;
    require_ok(page_table_unmap(&kernel->address_space.table, page_at(0), RANGE));
}

static void *blocks[PAGE_COUNT];

static void allocate_blocks(size_t least_bytes, size_t sizes)
{
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        blocks[i] = kmalloc(least_bytes + i * 37 % sizes);
        kernel_assert(blocks[i] != NULL);
    }
}

static void allocate_small_blocks(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    allocate_blocks(64, 1);
}

static void allocate_mixed_blocks(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    allocate_blocks(16, 1009);
}

/* The one order that every policy has. */
static void free_blocks(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    for (size_t i = PAGE_COUNT; i-- > 0;)
        kfree(blocks[i]);
}

static void touch_some(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    for (size_t i = 0; i < REFILL_COUNT; i++)
        (void)*(volatile uint64_t *)page_at(i).value;
}

static void invalidate_each(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        arch_invalidate_pages(NULL, page_at(i), PAGE_SIZE_BYTES);
}

static void invalidate_everything_each(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        arch_invalidate_pages(NULL, page_at(0), MANY_PAGES_BYTES);
}

static void invalidate_everything(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
    arch_invalidate_pages(NULL, page_at(0), MANY_PAGES_BYTES);
}

static void nothing(struct kernel *kernel, struct phys_addr *frames)
{
    (void)kernel;
    (void)frames;
}

/* The lowest of the rounds, for all calls together. */
static uint64_t ticks_of(struct kernel *kernel, struct phys_addr *frames,
                         const struct measurement *measurement)
{
    uint64_t lowest = UINT64_MAX;
    for (unsigned round = 0; round < ROUND_COUNT; round++) {
        uint64_t began = arch_timestamp();
        measurement->run(kernel, frames);
        uint64_t ticks = arch_timestamp() - began;
        measurement->undo(kernel, frames);
        if (ticks < lowest)
            lowest = ticks;
    }
    log_line("measure", "ticks_each=%llu.%02llu what=\"%s\"",
             (unsigned long long)(lowest / measurement->count),
             (unsigned long long)(lowest % measurement->count * 100 / measurement->count),
             measurement->name);
    return lowest;
}

static void measure_frames(struct kernel *kernel, struct phys_addr *frames)
{
    static const struct measurement allocate = {"frame allocate", PAGE_COUNT, allocate_each,
                                                free_each};
    static const struct measurement free_oldest = {"frame free, oldest first", PAGE_COUNT,
                                                   free_each, allocate_each};
    static const struct measurement free_newest = {"frame free, newest first", PAGE_COUNT,
                                                   free_newest_first, allocate_each};
    ticks_of(kernel, frames, &allocate);
    allocate_each(kernel, frames);
    ticks_of(kernel, frames, &free_oldest);
    ticks_of(kernel, frames, &free_newest);
}

static void measure_heap(struct kernel *kernel, struct phys_addr *frames)
{
    static const struct measurement measurements[] = {
        {"kmalloc, 64 bytes", PAGE_COUNT, allocate_small_blocks, free_blocks},
        {"kfree, 64 bytes", PAGE_COUNT, free_blocks, allocate_small_blocks},
        {"kmalloc, 16 to 1024 bytes", PAGE_COUNT, allocate_mixed_blocks, free_blocks},
        {"kfree, 16 to 1024 bytes", PAGE_COUNT, free_blocks, allocate_mixed_blocks},
    };
    for (size_t i = 0; i < sizeof measurements / sizeof measurements[0]; i++) {
        bool frees = measurements[i].run == free_blocks;
        if (frees)
            measurements[i].undo(kernel, frames);
        ticks_of(kernel, frames, &measurements[i]);
        if (frees)
            free_blocks(kernel, frames);
    }
}

/* Precondition: `frames` are allocated; they still are afterwards. */
static void measure_pages(struct kernel *kernel, struct phys_addr *frames)
{
    static const struct measurement map = {"page map", PAGE_COUNT, map_each, unmap_range};
    static const struct measurement unmap = {"page unmap", PAGE_COUNT, unmap_each, map_each};
    ticks_of(kernel, frames, &map);
    map_each(kernel, frames);
    ticks_of(kernel, frames, &unmap);
}

/* Precondition: the pages are mapped. */
static void measure_translations(struct kernel *kernel, struct phys_addr *frames)
{
    static const struct measurement warm = {"page touch, translation known", REFILL_COUNT,
                                            touch_some, nothing};
    static const struct measurement cold = {"page touch, translation dropped", REFILL_COUNT,
                                            touch_some, invalidate_everything};
    static const struct measurement one = {"invalidate one page", PAGE_COUNT, invalidate_each,
                                           touch_some};
    static const struct measurement all = {"invalidate everything", PAGE_COUNT,
                                           invalidate_everything_each, nothing};
    uint64_t known = ticks_of(kernel, frames, &warm);
    invalidate_everything(kernel, frames);
    uint64_t dropped = ticks_of(kernel, frames, &cold);
    uint64_t one_page = ticks_of(kernel, frames, &one) / PAGE_COUNT;
    uint64_t everything = ticks_of(kernel, frames, &all) / PAGE_COUNT;
    uint64_t refill = dropped > known ? dropped - known : 0;
    log_line("measure",
             "refilled=%u threshold=%llu what=\"pages from which on a full flush is cheaper\"",
             REFILL_COUNT,
             (unsigned long long)(one_page == 0 ? 0 : (everything + refill) / one_page));
}

void measure(struct kernel *kernel)
{
    struct phys_addr *frames = kmalloc(PAGE_COUNT * sizeof *frames);
    kernel_assert(frames != NULL);
    timeline_print_log_share(&kernel->timeline, "measure");
    measure_heap(kernel, frames);
    measure_frames(kernel, frames);
    measure_pages(kernel, frames);
    measure_translations(kernel, frames);
    unmap_range(kernel, frames);
    free_each(kernel, frames);
    kfree(frames);
}
