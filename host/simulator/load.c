#include "host/simulator/load.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "host/simulator/host.h"
#include "host/simulator/verify.h"
#include "tests/unit/support/random.h"

#define FRAMES_2MIB (2 * MIB / FRAME_SIZE_BYTES)
#define FRAMES_1GIB (GIB / FRAME_SIZE_BYTES)

static void figure(struct load_result *result, const char *key, uint64_t value)
{
    result->figures[result->figure_count++] = (struct load_figure){key, value};
}

/* Keep the first problem. */
static bool require(struct load_result *result, bool condition, const char *problem)
{
    if (!condition && result->problem == NULL)
        result->problem = problem;
    return condition;
}

/* --- Runs of frames --------------------------------------------------------------------------- */

struct run {
    struct phys_addr base;
    uint64_t frame_count;
};

struct run_list {
    struct run *runs;
    size_t count;
    size_t capacity;
};

static void run_list_add(struct run_list *list, struct run run)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 1024;
        list->runs = host_reallocate(list->runs, list->capacity * sizeof(run));
    }
    list->runs[list->count++] = run;
}

static bool type_may_be_given(const struct kernel_model *kernel, uint32_t type)
{
    switch (type) {
    case HANDOFF_REGION_USABLE:
    case HANDOFF_REGION_BOOT_SERVICES:
    case HANDOFF_REGION_LOADER:
    case HANDOFF_REGION_STACK:
    case HANDOFF_REGION_PAGE_TABLES:
    case HANDOFF_REGION_HANDOFF_DATA:
    case HANDOFF_REGION_TEMP_HEAP:
        return true;
    case HANDOFF_REGION_KERNEL_IMAGE:
        return kernel->early_heap_is_fallback;
    default:
        return false;
    }
}

/* The blocks of the early heap stay valid for ever. */
static struct phys_range live_early_heap(const struct kernel_model *kernel)
{
    uintptr_t base = (uintptr_t)kernel->ram->base;
    return phys_range(page_align_down(kernel->early_heap.start.value - base),
                      page_align_up(kernel->early_heap.next.value - base));
}

/* Check that a frame may be allocated: it is not frame 0, it is not in use, and the type of each of
 * its bytes can become free. */
static bool may_be_given(const struct kernel_model *kernel, struct phys_range range)
{
    struct phys_addr covered = range.start;
    if (covered.value == 0 || phys_range_overlaps(range, live_early_heap(kernel)))
        return false;
    for (uint32_t i = 0; i < kernel->view.regions.count && covered.value < range.end.value; i++) {
        struct phys_range region = region_list_range(&kernel->view.regions, i);
        if (!phys_range_contains_address(region, covered))
            continue;
        if (!type_may_be_given(kernel, region_list_at(&kernel->view.regions, i)->type))
            return false;
        covered = region.end;
    }
    return covered.value >= range.end.value;
}

static bool take_run(struct kernel_model *kernel, uint64_t frame_count, uint64_t alignment_frames,
                     struct run *ret_run, struct load_result *result)
{
    struct phys_addr base;
    if (!frame_allocator_allocate_contiguous(&kernel->frames, frame_count, alignment_frames,
                                             FRAME_ALLOCATOR_ANYWHERE, &base))
        return false;
    uint64_t size_bytes = frame_count * FRAME_SIZE_BYTES;
    require(result, base.value % (alignment_frames * FRAME_SIZE_BYTES) == 0,
            "a run of frames is not aligned");
    require(result, may_be_given(kernel, phys_range(base.value, base.value + size_bytes)),
            "a frame was allocated that is never free");
    kernel->load_frame_count += frame_count;
    *ret_run = (struct run){base, frame_count};
    return true;
}

static void give_run(struct kernel_model *kernel, struct run run)
{
    if (run.frame_count == 1)
        frame_allocator_free(&kernel->frames, run.base);
    else
        frame_allocator_free_contiguous(&kernel->frames, run.base, run.frame_count);
    kernel->load_frame_count -= run.frame_count;
}

static int compare_runs(const void *a, const void *b)
{
    uint64_t left = ((const struct run *)a)->base.value;
    uint64_t right = ((const struct run *)b)->base.value;
    return left < right ? -1 : left > right ? 1 : 0;
}

static bool runs_are_disjoint(struct run_list *list)
{
    qsort(list->runs, list->count, sizeof(list->runs[0]), compare_runs);
    for (size_t i = 1; i < list->count; i++) {
        const struct run *before = &list->runs[i - 1];
        if (before->base.value + before->frame_count * FRAME_SIZE_BYTES > list->runs[i].base.value)
            return false;
    }
    return true;
}

static void give_all(struct kernel_model *kernel, struct run_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        give_run(kernel, list->runs[i]);
    free(list->runs);
    *list = (struct run_list){0};
}

/* Return the number of frames that a request can get, from the allocator or from the processor's
 * reserve. */
static uint64_t free_frames(const struct kernel_model *kernel)
{
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    return frames.free_count + frames.cached_count;
}

/* --- boot ------------------------------------------------------------------------------------- */

static void run_boot(struct kernel_model *kernel, uint64_t seed, struct load_result *result)
{
    (void)seed;
    struct heap_statistics heap;
    heap_statistics(kernel->heap, &heap);
    figure(result, "allocations", heap.allocation_count);
    figure(result, "largest_run_frames", frame_allocator_largest_run(&kernel->frames));
}

/* --- random ----------------------------------------------------------------------------------- */

#define RANDOM_SLOTS       1024
#define RANDOM_OPERATIONS  40000
#define RANDOM_CHECK_EVERY 10000

struct slot {
    struct run run; /* frame_count 0: none */
    uint8_t *block; /* NULL: none */
    size_t size_bytes;
    uint64_t mark;
};

struct random_load {
    struct kernel_model *kernel;
    struct load_result *result;
    struct random random;
    struct slot slots[RANDOM_SLOTS];
    uint64_t next_mark;
    uint64_t refused_count;
    uint64_t peak_frame_count;
};

/* The first and the last frame of a run have its mark. */
static uint64_t *mark_of(const struct random_load *load, struct run run, bool last)
{
    uint64_t offset = last ? (run.frame_count - 1) * FRAME_SIZE_BYTES : 0;
    return fake_ram_at(load->kernel->ram, phys_addr_add(run.base, offset));
}

static void fill_with_run(struct random_load *load, struct slot *slot)
{
    uint64_t choice = random_below(&load->random, 100);
    uint64_t frame_count =
        choice < 70 ? 1 : 1 + random_below(&load->random, choice < 98 ? 64 : 1024);
    uint64_t alignment = choice < 85 ? 1 : UINT64_C(1) << random_below(&load->random, 10);
    struct run run;
    if (!take_run(load->kernel, frame_count, alignment, &run, load->result)) {
        load->refused_count++;
        return;
    }
    if (load->kernel->load_frame_count > load->peak_frame_count)
        load->peak_frame_count = load->kernel->load_frame_count;
    slot->run = run;
    slot->mark = ++load->next_mark;
    *mark_of(load, run, false) = slot->mark;
    *mark_of(load, run, true) = slot->mark;
}

static void fill_with_block(struct random_load *load, struct slot *slot)
{
    uint64_t choice = random_below(&load->random, 100);
    size_t size_bytes = (size_t)random_below(&load->random, choice < 90 ? 512 : 32768);
    slot->block = choice < 95 ? kmalloc(size_bytes)
                              : kmalloc_aligned(size_bytes, (size_t)1 << (4 + choice % 9));
    if (slot->block == NULL) {
        load->refused_count++;
        return;
    }
    slot->size_bytes = size_bytes;
    slot->mark = ++load->next_mark;
    memset(slot->block, (int)(slot->mark & 0xff), size_bytes);
}

static bool block_is_intact(const struct slot *slot)
{
    for (size_t i = 0; i < slot->size_bytes; i++) {
        if (slot->block[i] != (uint8_t)slot->mark)
            return false;
    }
    return true;
}

static void empty_slot(struct random_load *load, struct slot *slot)
{
    if (slot->run.frame_count > 0) {
        require(load->result,
                *mark_of(load, slot->run, false) == slot->mark &&
                    *mark_of(load, slot->run, true) == slot->mark,
                "a frame has lost its mark: it has two owners");
        give_run(load->kernel, slot->run);
    }
    if (slot->block != NULL) {
        require(load->result, block_is_intact(slot), "the bytes of a heap block have changed");
        kfree(slot->block);
    }
    *slot = (struct slot){0};
}

static void step(struct random_load *load)
{
    struct slot *slot = &load->slots[random_below(&load->random, RANDOM_SLOTS)];
    if (slot->run.frame_count > 0 || slot->block != NULL)
        empty_slot(load, slot);
    else if (random_below(&load->random, 2) == 0)
        fill_with_run(load, slot);
    else
        fill_with_block(load, slot);
}

static void run_random(struct kernel_model *kernel, uint64_t seed, struct load_result *result)
{
    struct random_load *load = host_allocate(sizeof(*load));
    *load = (struct random_load){.kernel = kernel, .result = result, .random = {seed * 2 + 1}};
    uint64_t operations = 0;
    while (operations < RANDOM_OPERATIONS && result->problem == NULL) {
        step(load);
        operations++;
        if (operations % RANDOM_CHECK_EVERY == 0)
            result->problem = verify_everything(kernel);
    }
    for (size_t i = 0; i < RANDOM_SLOTS && result->problem == NULL; i++)
        empty_slot(load, &load->slots[i]);
    figure(result, "operations", operations);
    figure(result, "refused", load->refused_count);
    figure(result, "peak_frames", load->peak_frame_count);
    free(load);
}

/* --- exhaustion ------------------------------------------------------------------------------- */

static void take_all_of_size(struct kernel_model *kernel, uint64_t frame_count,
                             struct run_list *list, struct load_result *result)
{
    struct run run;
    while (result->problem == NULL && take_run(kernel, frame_count, frame_count, &run, result))
        run_list_add(list, run);
}

static void require_refusals(struct kernel_model *kernel, struct load_result *result)
{
    struct phys_addr frame;
    struct virt_addr top;
    struct frame_allocator_statistics before = frame_allocator_statistics(&kernel->frames);
    require(result, !frame_allocator_allocate(&kernel->frames, &frame),
            "a frame was allocated although no frame is free");
    require(result,
            address_space_map_stack(&kernel->address_space,
                                    "a stack was created although there is no room for it",
                                    LAYOUT_STACK_SIZE_BYTES, &top) == PAGE_TABLE_NO_MEMORY,
            "a stack was mapped although no frame is free");
    struct frame_allocator_statistics after = frame_allocator_statistics(&kernel->frames);
    require(result, memcmp(&before, &after, sizeof(before)) == 0,
            "a refused request has changed something");
}

/* Blocks of the heap, each with the address of the one before it. */
struct block_chain {
    void *newest;
    uint64_t count;
};

static bool chain_add(struct kernel_model *kernel, struct block_chain *chain, size_t size_bytes)
{
    void *block = heap_allocate(kernel->heap, size_bytes, HEAP_CALLER);
    if (block == NULL)
        return false;
    memcpy(block, &chain->newest, sizeof(chain->newest));
    chain->newest = block;
    chain->count++;
    return true;
}

static void chain_free(struct kernel_model *kernel, struct block_chain *chain)
{
    while (chain->newest != NULL) {
        void *older;
        memcpy(&older, chain->newest, sizeof(older));
        heap_free(kernel->heap, chain->newest, HEAP_CALLER);
        chain->newest = older;
    }
}

static void exhaust_heap(struct kernel_model *kernel, struct load_result *result,
                         const char *count_key)
{
    static const size_t SIZES[] = {65536, 4096, 256, 16};
    struct block_chain chain = {0};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        while (chain_add(kernel, &chain, SIZES[i]))
            ;
    }
    if (result->problem == NULL)
        result->problem = verify_everything(kernel);
    figure(result, count_key, chain.count);
    chain_free(kernel, &chain);
}

static void run_exhaustion(struct kernel_model *kernel, uint64_t seed, struct load_result *result)
{
    (void)seed;
    struct run_list list = {0};
    uint64_t free_count = free_frames(kernel);
    take_all_of_size(kernel, FRAMES_1GIB, &list, result);
    figure(result, "runs_1gib", list.count);
    take_all_of_size(kernel, FRAMES_2MIB, &list, result);
    figure(result, "runs_2mib", list.count - result->figures[0].value);
    uint64_t run_count = list.count;
    take_all_of_size(kernel, 1, &list, result);
    figure(result, "single_frames", list.count - run_count);
    figure(result, "frames_taken", kernel->load_frame_count);
    require(result, kernel->load_frame_count == free_count,
            "not every free frame could be allocated");
    require_refusals(kernel, result);
    exhaust_heap(kernel, result, "heap_blocks_without_frames");
    require(result, runs_are_disjoint(&list), "a frame was allocated to two owners");
    give_all(kernel, &list);
    exhaust_heap(kernel, result, "heap_blocks");
}

/* --- fragmentation ---------------------------------------------------------------------------- */

#define FRAGMENT_FRAMES_MAX UINT64_C(131072)
#define FRAGMENT_BLOCKS     6000
#define LARGE_RUN_REQUESTS  16

static uint64_t count_large_runs(struct kernel_model *kernel, struct load_result *result)
{
    struct run_list list = {0};
    struct run run;
    while (list.count < LARGE_RUN_REQUESTS &&
           take_run(kernel, FRAMES_2MIB, FRAMES_2MIB, &run, result))
        run_list_add(&list, run);
    uint64_t count = list.count;
    give_all(kernel, &list);
    return count;
}

/* Free every second run, and move the others to the front of the list. */
static void give_every_second(struct kernel_model *kernel, struct run_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (i % 2 == 0)
            give_run(kernel, list->runs[i]);
        else
            list->runs[kept++] = list->runs[i];
    }
    list->count = kept;
}

static void fragment_frames(struct kernel_model *kernel, struct load_result *result)
{
    struct run_list list = {0};
    struct run run;
    uint64_t largest_before = frame_allocator_largest_run(&kernel->frames);
    uint64_t limit = free_frames(kernel);
    limit = limit < FRAGMENT_FRAMES_MAX ? limit : FRAGMENT_FRAMES_MAX;
    while (list.count < limit && take_run(kernel, 1, 1, &run, result))
        run_list_add(&list, run);
    figure(result, "frames_taken", list.count);
    give_every_second(kernel, &list);
    if (result->problem == NULL)
        result->problem = verify_everything(kernel);
    figure(result, "largest_run_before_frames", largest_before);
    figure(result, "largest_run_fragmented_frames", frame_allocator_largest_run(&kernel->frames));
    figure(result, "large_runs_had_of_16", count_large_runs(kernel, result));
    give_all(kernel, &list);
    /* The longest run may be longer than before, since the frames of the reserve are free, too. */
    require(result, frame_allocator_largest_run(&kernel->frames) >= largest_before,
            "the largest run of frames did not come back");
}

static void fragment_heap(struct kernel_model *kernel, struct random *random,
                          struct load_result *result)
{
    void **blocks = host_allocate(FRAGMENT_BLOCKS * sizeof(*blocks));
    struct heap_statistics heap;
    for (size_t i = 0; i < FRAGMENT_BLOCKS; i++)
        blocks[i] =
            heap_allocate(kernel->heap, 16 + (size_t)random_below(random, 2000), HEAP_CALLER);
    for (size_t i = 0; i < FRAGMENT_BLOCKS; i += 2) {
        heap_free(kernel->heap, blocks[i], HEAP_CALLER);
        blocks[i] = NULL;
    }
    heap_statistics(kernel->heap, &heap);
    figure(result, "heap_free_bytes", heap.free_bytes);
    figure(result, "heap_free_pieces", heap.free_block_count);
    figure(result, "heap_largest_free_bytes", heap.largest_free_bytes);
    figure(result, "heap_overhead_bytes", heap.overhead_bytes);
    for (size_t i = 1; i < FRAGMENT_BLOCKS; i += 2)
        heap_free(kernel->heap, blocks[i], HEAP_CALLER);
    free(blocks);
}

static void run_fragmentation(struct kernel_model *kernel, uint64_t seed,
                              struct load_result *result)
{
    struct random random = {seed * 2 + 1};
    fragment_frames(kernel, result);
    fragment_heap(kernel, &random, result);
}

/* --- All loads -------------------------------------------------------------------------------- */

static const struct load LOADS[] = {
    {"boot", false, run_boot},
    {"random", true, run_random},
    {"exhaustion", false, run_exhaustion},
    {"fragmentation", true, run_fragmentation},
};

const struct load *load_find(const char *name)
{
    for (size_t i = 0; i < sizeof(LOADS) / sizeof(LOADS[0]); i++) {
        if (strcmp(name, LOADS[i].name) == 0)
            return &LOADS[i];
    }
    return NULL;
}

/* Count the free frames, and the frames that the heap keeps mapped: a heap may keep its growth. */
static uint64_t free_and_heap_frames(const struct kernel_model *kernel)
{
    return free_frames(kernel) + heap_window_mapped_bytes(&kernel->heap_window) / FRAME_SIZE_BYTES +
           kernel->address_space.table.table_count;
}

void load_run(const struct load *load, struct kernel_model *kernel, uint64_t seed,
              struct load_result *ret_result)
{
    struct heap_statistics before, after;
    uint64_t frames_before = free_and_heap_frames(kernel);
    *ret_result = (struct load_result){0};
    heap_statistics(kernel->heap, &before);
    load->run(kernel, seed, ret_result);
    heap_statistics(kernel->heap, &after);
    require(ret_result,
            before.live_block_count == after.live_block_count &&
                before.used_bytes == after.used_bytes,
            "not all blocks of the heap were freed");
    require(ret_result, free_and_heap_frames(kernel) == frames_before, "not all frames were freed");
    if (ret_result->problem == NULL)
        ret_result->problem = verify_everything(kernel);
}
