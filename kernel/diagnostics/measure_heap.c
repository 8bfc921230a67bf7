#include "kernel/diagnostics/measure_heap.h"

#include "kernel/arch.h"
#include "kernel/diagnostics/heap_workload.h"
#include "kernel/diagnostics/measurement.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/core/panic.h"
#include "kernel/core/spinlock.h"

#define BLOCK_COUNT 512
#define STEP_COUNT  1024
/* A step of a churn is a kfree() and a kmalloc(). */
#define CHURN_COUNT (2 * STEP_COUNT)
#define LOCK_COUNT  512
/* Of those that lie between guard pages, unless the command line says otherwise. */
#define LARGE_COUNT 16
#define LARGE_BYTES ((size_t)64 * 1024)

/* Prepared before the clock starts. The blocks that are replaced are the first of `sizes`. */
struct work {
    size_t block_count;
    void *blocks[BLOCK_COUNT];
    uint16_t places[STEP_COUNT];
    uint32_t sizes[STEP_COUNT];
};

static size_t size_64(struct heap_workload *workload)
{
    (void)workload;
    return 64;
}

static size_t size_large(struct heap_workload *workload)
{
    (void)workload;
    return LARGE_BYTES;
}

static size_t size_uniform(struct heap_workload *workload)
{
    return heap_workload_between(workload, 16, 1024);
}

static void prepare(struct work *work, size_t block_count, size_t (*size)(struct heap_workload *))
{
    work->block_count = block_count;
    struct heap_workload workload = heap_workload_start(1);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        work->places[i] = (uint16_t)(heap_workload_next(&workload) % block_count);
        work->sizes[i] = (uint32_t)size(&workload);
    }
}

static void allocate_all(void *context)
{
    struct work *work = context;
    for (size_t i = 0; i < work->block_count; i++) {
        work->blocks[i] = kmalloc(work->sizes[i]);
        kernel_assert(work->blocks[i] != NULL);
    }
}

/* The one order that every policy has. */
static void free_newest_first(void *context)
{
    struct work *work = context;
    for (size_t i = work->block_count; i-- > 0;)
        kfree(work->blocks[i]);
}

static void churn(void *context)
{
    struct work *work = context;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        void **block = &work->blocks[work->places[i]];
        kfree(*block);
        *block = kmalloc(work->sizes[i]);
        kernel_assert(*block != NULL);
    }
}

static void reallocate(void *context)
{
    struct work *work = context;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        void **block = &work->blocks[work->places[i]];
        *block = krealloc(*block, work->sizes[i]);
        kernel_assert(*block != NULL);
    }
}

static void measure_order(struct work *work, size_t block_count, const char *kmalloc_name,
                          const char *kfree_name, size_t (*size)(struct heap_workload *))
{
    const struct measurement allocation = {kmalloc_name, block_count, allocate_all,
                                           free_newest_first};
    const struct measurement freeing = {kfree_name, block_count, free_newest_first, allocate_all};
    prepare(work, block_count, size);
    measurement_take(&allocation, work);
    allocate_all(work);
    measurement_take(&freeing, work);
    free_newest_first(work);
}

static void measure_steps(struct work *work, const struct measurement *measurement,
                          size_t (*size)(struct heap_workload *))
{
    prepare(work, BLOCK_COUNT, size);
    allocate_all(work);
    measurement_take(measurement, work);
    free_newest_first(work);
}

/* --- By size ---------------------------------------------------------------------------------- */

/* The blocks that lie around the measured one. */
#define AROUND_COUNT 1300
#define PAIR_COUNT   256

struct size_work {
    size_t size_bytes;
    void *around[2 * AROUND_COUNT];
};

static void allocate_and_free(void *context)
{
    const struct size_work *work = context;
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        void *block = kmalloc(work->size_bytes);
        kernel_assert(block != NULL);
        kfree(block);
    }
}

/* Blocks of a kernel's mix, and holes between them if the policy can free a block below the newest.
 */
static void surround(struct size_work *work, bool newest_first)
{
    struct heap_workload workload = heap_workload_start(5);
    for (size_t i = 0; i < 2 * AROUND_COUNT; i++) {
        work->around[i] = kmalloc(heap_workload_kernel_size(&workload));
        kernel_assert(work->around[i] != NULL);
    }
    for (size_t i = 0; i < 2 * AROUND_COUNT && !newest_first; i += 2) {
        kfree(work->around[i]);
        work->around[i] = NULL;
    }
}

static void measure_sizes(bool newest_first)
{
    static const struct {
        size_t size_bytes;
        const char *name;
    } sizes[] = {
        {64, "kmalloc and kfree, 64 bytes"},       {512, "kmalloc and kfree, 512 bytes"},
        {1024, "kmalloc and kfree, 1024 bytes"},   {1040, "kmalloc and kfree, 1040 bytes"},
        {1500, "kmalloc and kfree, 1500 bytes"},   {2048, "kmalloc and kfree, 2048 bytes"},
        {4096, "kmalloc and kfree, 4096 bytes"},   {8192, "kmalloc and kfree, 8192 bytes"},
        {9000, "kmalloc and kfree, 9000 bytes"},   {16384, "kmalloc and kfree, 16384 bytes"},
        {40000, "kmalloc and kfree, 40000 bytes"}, {65536, "kmalloc and kfree, 65536 bytes"},
    };
    struct size_work *work = kmalloc(sizeof *work);
    kernel_assert(work != NULL);
    surround(work, newest_first);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct measurement pair = {sizes[i].name, PAIR_COUNT, allocate_and_free,
                                         measurement_undo_nothing};
        work->size_bytes = sizes[i].size_bytes;
        measurement_take(&pair, work);
    }
    for (size_t i = 2 * AROUND_COUNT; i-- > 0;)
        kfree(work->around[i]);
    kfree(work);
}

/* --- The lock --------------------------------------------------------------------------------- */

static void hold_and_release(void *context)
{
    (void)context;
    for (unsigned i = 0; i < LOCK_COUNT; i++) {
        interrupts_hold();
        interrupts_release();
    }
}

static void switch_off_and_restore(void *context)
{
    (void)context;
    arch_interrupts_save_and_restore(LOCK_COUNT);
}

static void acquire_and_release(void *context)
{
    struct spinlock *lock = context;
    for (unsigned i = 0; i < LOCK_COUNT; i++) {
        spinlock_acquire(lock);
        spinlock_release(lock);
    }
}

/* The alternatives of docs/DESIGN.md, "The lock". */
static void measure_lock(void)
{
    static const struct measurement hold = {"interrupts hold and release", LOCK_COUNT,
                                            hold_and_release, measurement_undo_nothing};
    static const struct measurement flag = {"interrupt flag save, clear and restore", LOCK_COUNT,
                                            switch_off_and_restore, measurement_undo_nothing};
    static const struct measurement lock = {"spinlock acquire and release", LOCK_COUNT,
                                            acquire_and_release, measurement_undo_nothing};
    struct spinlock spinlock = {0};
    measurement_take(&hold, NULL);
    measurement_take(&flag, NULL);
    measurement_take(&lock, &spinlock);
}

void measure_heap(bool newest_first)
{
    static const struct measurement churning = {"kfree or kmalloc, churn of 16 to 1024 bytes",
                                                CHURN_COUNT, churn, measurement_undo_nothing};
    static const struct measurement mixing = {"kfree or kmalloc, a kernel's mix", CHURN_COUNT,
                                              churn, measurement_undo_nothing};
    static const struct measurement resizing = {"krealloc, 16 to 1024 bytes", STEP_COUNT,
                                                reallocate, measurement_undo_nothing};
    struct work *work = kmalloc(sizeof *work);
    kernel_assert(work != NULL);
    measure_order(work, BLOCK_COUNT, "kmalloc, 64 bytes", "kfree, 64 bytes", size_64);
    measure_order(work, BLOCK_COUNT, "kmalloc, 16 to 1024 bytes", "kfree, 16 to 1024 bytes",
                  size_uniform);
    measure_order(work, LARGE_COUNT, "kmalloc, 64 KiB", "kfree, 64 KiB", size_large);
    if (!newest_first) {
        measure_steps(work, &churning, size_uniform);
        measure_steps(work, &mixing, heap_workload_kernel_size);
        measure_steps(work, &resizing, size_uniform);
    }
    kfree(work);
    measure_sizes(newest_first);
    measure_lock();
}
