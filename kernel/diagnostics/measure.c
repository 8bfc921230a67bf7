#include "kernel/diagnostics/measure.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "kernel/diagnostics/measure_heap.h"
#include "kernel/diagnostics/measurement.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/core/panic.h"

/* A whole table, and eight words of frames, so that the average includes the slow call of every 64.
 */
#define PAGE_COUNT 512
/* The translations in use when all are invalidated: about the number that the smallest CPU caches,
 * and QEMU too. */
#define REFILL_COUNT 64
#define RANGE        (PAGE_COUNT * PAGE_SIZE_BYTES)
/* The number from which on one call invalidates all translations. */
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

/* The data of the measured operations. */
struct page_work {
    struct kernel *kernel;
    struct phys_addr *frames; /* PAGE_COUNT */
};

static void allocate_each(void *context)
{
    const struct page_work *work = context;
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        bool allocated = frame_allocator_allocate(&work->kernel->frames, &work->frames[i]);
        kernel_assert(allocated);
    }
}

static void free_each(void *context)
{
    const struct page_work *work = context;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        frame_allocator_free(&work->kernel->frames, work->frames[i]);
}

static void free_newest_first(void *context)
{
    const struct page_work *work = context;
    for (size_t i = PAGE_COUNT; i-- > 0;)
        frame_allocator_free(&work->kernel->frames, work->frames[i]);
}

static void map_each(void *context)
{
    const struct page_work *work = context;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        require_ok(page_table_map(&work->kernel->address_space.table, page_at(i), work->frames[i],
                                  PAGE_SIZE_BYTES, READ_WRITE, false));
}

static void unmap_each(void *context)
{
    const struct page_work *work = context;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        require_ok(
            page_table_unmap(&work->kernel->address_space.table, page_at(i), PAGE_SIZE_BYTES));
}

static void unmap_range(void *context)
{
    const struct page_work *work = context;
    require_ok(page_table_unmap(&work->kernel->address_space.table, page_at(0), RANGE));
}

static void touch_some(void *context)
{
    (void)context;
    for (size_t i = 0; i < REFILL_COUNT; i++)
        (void)*(volatile uint64_t *)page_at(i).value;
}

static void invalidate_each(void *context)
{
    (void)context;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        arch_invalidate_pages(NULL, page_at(i), PAGE_SIZE_BYTES);
}

static void invalidate_everything_each(void *context)
{
    (void)context;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        arch_invalidate_pages(NULL, page_at(0), MANY_PAGES_BYTES);
}

static void invalidate_everything(void *context)
{
    (void)context;
    arch_invalidate_pages(NULL, page_at(0), MANY_PAGES_BYTES);
}

/* More than all frames: the cost of a refusal. */
static void refuse_run_each(void *context)
{
    struct page_work *work = context;
    struct frame_allocator *frames = &work->kernel->frames;
    uint64_t count = frame_allocator_statistics(frames).total_count;
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        struct phys_addr base;
        bool allocated =
            frame_allocator_allocate_contiguous(frames, count, 1, FRAME_ALLOCATOR_ANYWHERE, &base);
        kernel_assert(!allocated);
    }
}

static void measure_runs(struct page_work *work)
{
    static const struct measurement refuse = {"frame run, refused", PAGE_COUNT, refuse_run_each,
                                              measurement_undo_nothing};
    measurement_take(&refuse, work);
    log_line("measure", "steps=%llu what=\"words and bounds that all searches for runs read\"",
             (unsigned long long)frame_allocator_statistics(&work->kernel->frames)
                 .run_search_step_count);
}

static void measure_frames(struct page_work *work)
{
    static const struct measurement allocate = {"frame allocate", PAGE_COUNT, allocate_each,
                                                free_each};
    static const struct measurement free_oldest = {"frame free, oldest first", PAGE_COUNT,
                                                   free_each, allocate_each};
    static const struct measurement free_newest = {"frame free, newest first", PAGE_COUNT,
                                                   free_newest_first, allocate_each};
    measurement_take(&allocate, work);
    allocate_each(work);
    measurement_take(&free_oldest, work);
    measurement_take(&free_newest, work);
}

/* Precondition: `frames` are allocated; they still are afterwards. */
static void measure_pages(struct page_work *work)
{
    static const struct measurement map = {"page map", PAGE_COUNT, map_each, unmap_range};
    static const struct measurement unmap = {"page unmap", PAGE_COUNT, unmap_each, map_each};
    measurement_take(&map, work);
    map_each(work);
    measurement_take(&unmap, work);
}

/* Precondition: the pages are mapped. */
static void measure_translations(struct page_work *work)
{
    static const struct measurement warm = {"page touch, translation known", REFILL_COUNT,
                                            touch_some, measurement_undo_nothing};
    static const struct measurement cold = {"page touch, translation dropped", REFILL_COUNT,
                                            touch_some, invalidate_everything};
    static const struct measurement one = {"invalidate one page", PAGE_COUNT, invalidate_each,
                                           touch_some};
    static const struct measurement all = {"invalidate everything", PAGE_COUNT,
                                           invalidate_everything_each, measurement_undo_nothing};
    uint64_t known = measurement_take(&warm, work);
    invalidate_everything(work);
    uint64_t dropped = measurement_take(&cold, work);
    uint64_t one_page = measurement_take(&one, work) / PAGE_COUNT;
    uint64_t everything = measurement_take(&all, work) / PAGE_COUNT;
    uint64_t refill = dropped > known ? dropped - known : 0;
    log_line("measure",
             "refilled=%u threshold=%llu what=\"least number of pages for which a full flush is "
             "cheaper\"",
             REFILL_COUNT,
             (unsigned long long)(one_page == 0 ? 0 : (everything + refill) / one_page));
}

void measure(struct kernel *kernel)
{
    struct page_work work = {kernel, kmalloc(PAGE_COUNT * sizeof *work.frames)};
    kernel_assert(work.frames != NULL);
    timeline_print_log_share(&kernel->timeline, "measure");
    measure_heap(heap_frees_newest_only(kernel->heap));
    measure_frames(&work);
    measure_runs(&work);
    measure_pages(&work);
    measure_translations(&work);
    unmap_range(&work);
    free_each(&work);
    kfree(work.frames);
}
