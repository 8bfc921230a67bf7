/* Benchmark of the frame allocator, beside a flat bitmap and a buddy allocator, in the same run. It
 * measures the time to initialise by RAM size and by number of regions. It measures one frame, many
 * frames, and runs in fragmented memory. For runs that do not exist, it measures the time and the
 * number of words and bounds that were read, by RAM size.
 *
 * It prints a table, and with an argument also writes the table to that file as JSON. Every figure
 * is the best of RUNS runs with the same seeds, because other work on the machine only makes a run
 * slower. Memory is warm: the pages of the records exist before, as in a direct map. */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "shared/region.h"
#include "tests/bench/frames/buddy.h"
#include "tests/bench/frames/flat_bitmap.h"
#include "tests/bench/frames/pages.h"
#include "tests/bench/frames/refusals.h"
#include "tests/bench/frames/subject.h"
#include "tests/unit/support/random.h"

#define RUNS              9U
#define REGIONS_MAX       4096U
#define EARLY_HEAP_BYTES  (1024U * 1024U)
#define RESULTS_MAX       512U
#define METADATA_MAX      (UINT64_C(1) << 28) /* the limit for the memory of the two others */
#define FRAMES_IN_A_ROUND 200000U

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "bench_frames: %s\n", what);
    exit(1);
}

static void require(bool condition, const char *what)
{
    if (!condition)
        give_up(what);
}

/* --- Results ---------------------------------------------------------------------------------- */

struct result {
    const char *test;
    const char *allocator;
    char parameter[32];
    double value;     /* for one operation */
    const char *unit; /* "ns", or "steps": words and bounds that were read */
};

static struct result results[RESULTS_MAX];
static size_t result_count;

static void record_in(const char *unit, const char *test, const char *allocator,
                      const char *parameter, double value)
{
    require(result_count < RESULTS_MAX, "too many results");
    struct result *result = &results[result_count++];
    *result = (struct result){.test = test, .allocator = allocator, .value = value, .unit = unit};
    (void)snprintf(result->parameter, sizeof(result->parameter), "%s", parameter);
    printf("%-24s %-16s %-14s %14.1f %s\n", test, parameter, allocator, value, unit);
    (void)fflush(stdout);
}

static void record(const char *test, const char *allocator, const char *parameter, double value)
{
    record_in("ns", test, allocator, parameter, value);
}

static void write_json(const char *path)
{
    FILE *file = fopen(path, "w");
    require(file != NULL, "cannot write the JSON file");
    (void)fprintf(file, "{\"unit\": \"ns\", \"runs\": %u, \"results\": [\n", RUNS);
    for (size_t i = 0; i < result_count; i++)
        (void)fprintf(file,
                      "  {\"test\": \"%s\", \"parameter\": \"%s\", \"allocator\": \"%s\", "
                      "\"%s\": %.2f}%s\n",
                      results[i].test, results[i].parameter, results[i].allocator, results[i].unit,
                      results[i].value, i + 1 < result_count ? "," : "");
    (void)fprintf(file, "]}\n");
    require(fclose(file) == 0, "cannot write the JSON file");
}

static double now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double best(const double *values, size_t count)
{
    double lowest = values[0];
    for (size_t i = 1; i < count; i++)
        lowest = values[i] < lowest ? values[i] : lowest;
    return lowest;
}

static const char *size_text(uint64_t size_bytes, char *text, size_t text_size_bytes)
{
    if (size_bytes >= TIB)
        (void)snprintf(text, text_size_bytes, "%llu TiB", (unsigned long long)(size_bytes / TIB));
    else if (size_bytes >= GIB)
        (void)snprintf(text, text_size_bytes, "%llu GiB", (unsigned long long)(size_bytes / GIB));
    else
        (void)snprintf(text, text_size_bytes, "%llu MiB", (unsigned long long)(size_bytes / MIB));
    return text;
}

/* --- Machines --------------------------------------------------------------------------------- */

struct machine {
    struct handoff_region rows[REGIONS_MAX];
    struct region_list regions;
    void *early_heap_region;
    struct early_heap early_heap;
    void *memory; /* the memory for the records */
    uint64_t memory_size_bytes;
    uint64_t direct_map_base;
    struct frame_allocator frames;
};

static void add_row(struct machine *machine, uint64_t *next, uint64_t size_bytes, uint32_t type)
{
    require(machine->regions.count < REGIONS_MAX, "too many regions");
    if (type != HANDOFF_REGION_MMIO)
        machine->rows[machine->regions.count++] =
            region_make(*next, size_bytes, type, HANDOFF_EFI_TYPE_NONE, 8);
    *next += size_bytes;
}

/* Make RAM of `row_count` rows. Two of three rows are usable, and the others are boot services
 * memory, as firmware leaves it: all of it is free at entry. There is a hole in the middle. Half of
 * all RAM is in the last row. */
static void make_map(struct machine *machine, uint64_t ram_bytes, uint32_t row_count)
{
    uint64_t next = 0x1000;
    uint64_t piece = page_align_down(ram_bytes / 2 / row_count);
    machine->regions = (struct region_list){machine->rows, 0, sizeof(machine->rows[0])};
    for (uint32_t i = 0; i + 1 < row_count; i++) {
        add_row(machine, &next, piece,
                i % 3 == 1 ? HANDOFF_REGION_BOOT_SERVICES : HANDOFF_REGION_USABLE);
        if (i == row_count / 2)
            add_row(machine, &next, GIB, HANDOFF_REGION_MMIO);
    }
    add_row(machine, &next, ram_bytes / 2, HANDOFF_REGION_USABLE);
    machine->memory_size_bytes = page_align_up(ram_bytes / 4096 / 7 + 4 * MIB);
    machine->memory = mmap(NULL, machine->memory_size_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(machine->memory != MAP_FAILED, "no address space for the records");
    machine->direct_map_base =
        (uint64_t)(uintptr_t)machine->memory + machine->memory_size_bytes - next;
}

static void start(struct machine *machine)
{
    require(early_heap_initialise(&machine->early_heap,
                                  virt_addr((uintptr_t)machine->early_heap_region),
                                  EARLY_HEAP_BYTES) == EARLY_HEAP_OK,
            "no early heap");
    require(frame_allocator_initialise(&machine->frames, &machine->regions, &machine->early_heap,
                                       virt_addr(machine->direct_map_base)) == FRAME_ALLOCATOR_OK,
            "no frame allocator");
}

static struct machine *machine_create(uint64_t ram_bytes, uint32_t row_count)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    require(machine != NULL, "no memory");
    machine->early_heap_region = aligned_alloc(4096, EARLY_HEAP_BYTES);
    require(machine->early_heap_region != NULL, "no memory");
    memset(machine->early_heap_region, 0xa5, EARLY_HEAP_BYTES);
    make_map(machine, ram_bytes, row_count);
    start(machine);
    return machine;
}

static void machine_destroy(struct machine *machine)
{
    require(frame_allocator_check(&machine->frames) == NULL, "the frame allocator is not sound");
    (void)munmap(machine->memory, machine->memory_size_bytes);
    free(machine->early_heap_region);
    free(machine);
}

/* --- Initialising ----------------------------------------------------------------------------- */

#define INITIALISATIONS 200U

static double time_ours(uint64_t ram_bytes, uint32_t row_count)
{
    double times[RUNS];
    struct machine *machine = machine_create(ram_bytes, row_count);
    for (unsigned run = 0; run < RUNS; run++) {
        double began = now_ns();
        for (unsigned i = 0; i < INITIALISATIONS; i++)
            start(machine);
        times[run] = (now_ns() - began) / INITIALISATIONS;
    }
    machine_destroy(machine);
    return best(times, RUNS);
}

static double time_flat(void *memory, uint64_t frame_count)
{
    double times[RUNS];
    struct flat_bitmap bitmap;
    for (unsigned run = 0; run < RUNS; run++) {
        double began = now_ns();
        flat_bitmap_initialise(&bitmap, memory, frame_count);
        times[run] = now_ns() - began;
    }
    return best(times, RUNS);
}

static double time_buddy(void *memory, uint64_t frame_count)
{
    double times[RUNS];
    struct buddy buddy;
    for (unsigned run = 0; run < RUNS; run++) {
        double began = now_ns();
        buddy_initialise(&buddy, memory, frame_count);
        times[run] = now_ns() - began;
    }
    return best(times, RUNS);
}

static void bench_initialise(void)
{
    char text[32];
    for (uint64_t ram_bytes = 64 * MIB; ram_bytes <= 64 * TIB; ram_bytes *= 4) {
        uint64_t frame_count = ram_bytes / 4096;
        size_text(ram_bytes, text, sizeof(text));
        record("initialise", "handoff", text, time_ours(ram_bytes, 16));
        if (frame_count / 8 <= METADATA_MAX) {
            void *memory = malloc(frame_count / 8);
            require(memory != NULL, "no memory");
            memset(memory, 0, frame_count / 8);
            record("initialise", "flat bitmap", text, time_flat(memory, frame_count));
            free(memory);
        }
        if (frame_count * sizeof(struct buddy_frame) <= METADATA_MAX) {
            void *memory = calloc(frame_count, sizeof(struct buddy_frame));
            require(memory != NULL, "no memory");
            record("initialise", "buddy", text, time_buddy(memory, frame_count));
            free(memory);
        }
    }
    for (uint32_t row_count = 4; row_count <= 1024; row_count *= 4) {
        (void)snprintf(text, sizeof(text), "%u regions", row_count);
        record("initialise 1 TiB", "handoff", text, time_ours(TIB, row_count));
    }
}

/* --- One frame -------------------------------------------------------------------------------- */

/* The three allocators, and ours with a CPU's reserve. */

static bool ours_get(void *state, uint64_t *ret_frame)
{
    return frame_allocator_allocate(state, (struct phys_addr *)(void *)ret_frame);
}

static bool ours_put(void *state, uint64_t frame)
{
    frame_allocator_free(state, phys_addr(frame));
    return true;
}

static bool reserve_get(void *state, uint64_t *ret_frame)
{
    return frame_reserve_allocate(state, (struct phys_addr *)(void *)ret_frame);
}

static bool reserve_put(void *state, uint64_t frame)
{
    frame_reserve_free(state, phys_addr(frame));
    return true;
}

static bool flat_get(void *state, uint64_t *ret_frame)
{
    return flat_bitmap_get(state, ret_frame);
}

static bool flat_put(void *state, uint64_t frame)
{
    return flat_bitmap_put(state, frame);
}

static bool buddy_get_one(void *state, uint64_t *ret_frame)
{
    return buddy_get(state, 0, ret_frame);
}

static bool buddy_put_one(void *state, uint64_t frame)
{
    return buddy_put(state, frame, 0);
}

/* Measures the loop, the callback and the array without an allocator. */
static bool nothing_get(void *state, uint64_t *ret_frame)
{
    uint64_t *next = state;
    *ret_frame = *next;
    return true;
}

static bool nothing_put(void *state, uint64_t frame)
{
    uint64_t *next = state;
    return *next != frame + 1;
}

static uint64_t taken[FRAMES_IN_A_ROUND];

static double time_get(const struct subject *subject)
{
    bool well = true;
    double began = now_ns();
    for (uint32_t i = 0; i < FRAMES_IN_A_ROUND; i++)
        well &= subject->get(subject->state, &taken[i]);
    double took = now_ns() - began;
    require(well, "a frame was refused");
    return took / FRAMES_IN_A_ROUND;
}

static double time_put(const struct subject *subject)
{
    bool well = true;
    double began = now_ns();
    for (uint32_t i = 0; i < FRAMES_IN_A_ROUND; i++)
        well &= subject->put(subject->state, taken[i]);
    double took = now_ns() - began;
    require(well, "a good free was refused");
    return took / FRAMES_IN_A_ROUND;
}

static double time_pairs(const struct subject *subject)
{
    bool well = true;
    uint64_t frame;
    double began = now_ns();
    for (uint32_t i = 0; i < FRAMES_IN_A_ROUND; i++) {
        well &= subject->get(subject->state, &frame);
        well &= subject->put(subject->state, frame);
    }
    double took = now_ns() - began;
    require(well, "a pair failed");
    return took / FRAMES_IN_A_ROUND;
}

static void order_taken(unsigned order, struct random *random)
{
    for (uint32_t i = FRAMES_IN_A_ROUND; order == 1 && i-- > FRAMES_IN_A_ROUND / 2;) {
        uint64_t swapped = taken[i];
        taken[i] = taken[FRAMES_IN_A_ROUND - 1 - i];
        taken[FRAMES_IN_A_ROUND - 1 - i] = swapped;
    }
    for (uint32_t i = FRAMES_IN_A_ROUND; order == 2 && i > 1; i--) {
        uint64_t other = random_below(random, i);
        uint64_t swapped = taken[i - 1];
        taken[i - 1] = taken[other];
        taken[other] = swapped;
    }
}

static void bench_one_frame(const struct subject *subject, const char *parameter)
{
    static const char *const put_names[] = {"put, first in first", "put, last in first",
                                            "put, random order"};
    double gets[3 * RUNS];
    double pairs[RUNS];
    struct random random = {7};
    for (unsigned order = 0; order < 3; order++) {
        double puts[RUNS];
        for (unsigned run = 0; run < RUNS; run++) {
            gets[order * RUNS + run] = time_get(subject);
            order_taken(order, &random);
            puts[run] = time_put(subject);
        }
        record(put_names[order], subject->name, parameter, best(puts, RUNS));
    }
    record("get", subject->name, parameter, best(gets, 3 * RUNS));
    for (unsigned run = 0; run < RUNS; run++)
        pairs[run] = time_pairs(subject);
    record("get and put", subject->name, parameter, best(pairs, RUNS));
}

/* Map and unmap pages, with tables from this allocator. */
static void bench_pages(const struct subject *subject)
{
    static const struct {
        enum pages_how how;
        const char *name;
    } hows[] = {{PAGES_RISING, "one by one, rising"},
                {PAGES_FALLING, "one by one, falling"},
                {PAGES_RANGE, "in one call"},
                {PAGES_LARGE, "2 MiB, in one call"}};
    for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        double maps[RUNS];
        double unmaps[RUNS];
        for (unsigned run = 0; run < RUNS; run++) {
            struct pages_times times = pages_measure(subject, hows[i].how);
            maps[run] = times.map;
            unmaps[run] = times.unmap;
        }
        record("map a page", subject->name, hows[i].name, best(maps, RUNS));
        record("unmap a page", subject->name, hows[i].name, best(unmaps, RUNS));
    }
}

#define PLAIN_BYTES (4 * GIB)

static void bench_frames_one_by_one(void)
{
    uint64_t next = 4096;
    const struct subject nothing = {"nothing", &next, nothing_get, nothing_put, 1};
    bench_one_frame(&nothing, "harness");
    const uint64_t sizes[] = {PLAIN_BYTES, TIB};
    for (size_t i = 0; i < 2; i++) {
        char text[32];
        struct machine *machine = machine_create(sizes[i], 16);
        const struct subject ours = {"handoff", &machine->frames, ours_get, ours_put, 1};
        size_text(sizes[i], text, sizeof(text));
        bench_one_frame(&ours, text);
        if (i == 0)
            bench_pages(&ours);
        struct frame_reserve reserve;
        const struct subject reserved = {"handoff reserve", &reserve, reserve_get, reserve_put, 1};
        frame_reserve_open(&reserve, &machine->frames);
        bench_one_frame(&reserved, text);
        machine_destroy(machine);
    }
    struct flat_bitmap bitmap;
    struct buddy buddy;
    void *memory = calloc(PLAIN_BYTES / 4096, sizeof(struct buddy_frame));
    require(memory != NULL, "no memory");
    const struct subject flat = {"flat bitmap", &bitmap, flat_get, flat_put, 4096};
    flat_bitmap_initialise(&bitmap, memory, PLAIN_BYTES / 4096);
    bench_one_frame(&flat, "4 GiB");
    bench_pages(&flat);
    const struct subject buddies = {"buddy", &buddy, buddy_get_one, buddy_put_one, 4096};
    buddy_initialise(&buddy, memory, PLAIN_BYTES / 4096);
    bench_one_frame(&buddies, "4 GiB");
    bench_pages(&buddies);
    free(memory);
}

/* --- Runs in fragmented memory ---------------------------------------------------------------- */

#define FRAGMENTED_BYTES (16 * GIB)
#define RUN_REQUESTS     64U

/* The state of memory before the requests. */
struct fragmentation {
    const char *name;
    bool (*stays_used)(uint64_t frame, struct random *random);
};

static bool every_second(uint64_t frame, struct random *random)
{
    (void)random;
    return frame % 2 == 0;
}

static bool every_second_by_chance(uint64_t frame, struct random *random)
{
    (void)frame;
    return random_below(random, 2) == 0;
}

static bool one_of_700(uint64_t frame, struct random *random)
{
    (void)random;
    return frame % 700 == 350;
}

static const struct fragmentation fragmentations[] = {
    {"every 2nd used", every_second},
    {"random half used", every_second_by_chance},
    {"every 700th used", one_of_700},
};

static const struct run_request {
    const char *name;
    uint64_t frame_count; /* a power of two, and also the alignment */
    unsigned order;
} run_requests[] = {
    {"run of 2", 2, 1},
    {"run of 16", 16, 4},
    {"run of 2 MiB", 512, 9},
    {"run of 1 GiB", UINT64_C(1) << 18, 18},
};

static struct phys_addr run_bases[RUN_REQUESTS];

/* Allocate RUN_REQUESTS runs, or until there is no other run. Then free them all. */
static double time_our_runs(struct frame_allocator *frames, const struct run_request *request,
                            unsigned *ret_found)
{
    unsigned count = 0;
    double began = now_ns();
    while (count < RUN_REQUESTS &&
           frame_allocator_allocate_contiguous(frames, request->frame_count, request->frame_count,
                                               FRAME_ALLOCATOR_ANYWHERE, &run_bases[count]))
        count++;
    double took = now_ns() - began;
    *ret_found = count;
    unsigned asked = count < RUN_REQUESTS ? count + 1 : count;
    while (count > 0)
        frame_allocator_free_contiguous(frames, run_bases[--count], request->frame_count);
    return took / asked;
}

static double time_flat_runs(struct flat_bitmap *bitmap, const struct run_request *request,
                             unsigned *ret_found)
{
    unsigned count = 0;
    double began = now_ns();
    while (count < RUN_REQUESTS &&
           flat_bitmap_get_run(bitmap, request->frame_count, request->frame_count,
                               &run_bases[count].value))
        count++;
    double took = now_ns() - began;
    *ret_found = count;
    unsigned asked = count < RUN_REQUESTS ? count + 1 : count;
    while (count-- > 0) {
        for (uint64_t i = 0; i < request->frame_count; i++)
            (void)flat_bitmap_put(bitmap, run_bases[count].value + i);
    }
    return took / asked;
}

static double time_buddy_runs(struct buddy *buddy, const struct run_request *request,
                              unsigned *ret_found)
{
    unsigned count = 0;
    double began = now_ns();
    while (count < RUN_REQUESTS && buddy_get(buddy, request->order, &run_bases[count].value))
        count++;
    double took = now_ns() - began;
    *ret_found = count;
    unsigned asked = count < RUN_REQUESTS ? count + 1 : count;
    while (count > 0)
        (void)buddy_put(buddy, run_bases[--count].value, request->order);
    return took / asked;
}

/* Record the first round, and the best of the other rounds: the first one fills caches. */
#define record_rounds(allocator, call)                                                             \
    do {                                                                                           \
        char name[48];                                                                             \
        double rounds[RUNS];                                                                       \
        unsigned found = 0;                                                                        \
        double first = (call);                                                                     \
        for (unsigned run = 0; run < RUNS; run++)                                                  \
            rounds[run] = (call);                                                                  \
        (void)snprintf(name, sizeof(name), "%s: %u", request->name, found);                        \
        record(fragmentation->name, allocator ", first", name, first);                             \
        record(fragmentation->name, allocator, name, best(rounds, RUNS));                          \
    } while (0)

static void fragment(struct frame_allocator *frames, const struct fragmentation *fragmentation)
{
    struct random random = {11};
    uint64_t free_count = frame_allocator_statistics(frames).free_count;
    struct phys_addr *all = malloc(free_count * sizeof(all[0]));
    require(all != NULL, "no memory");
    for (uint64_t i = 0; i < free_count; i++)
        require(frame_allocator_allocate(frames, &all[i]), "too few frames");
    for (uint64_t i = 0; i < free_count; i++) {
        if (!fragmentation->stays_used(all[i].value / 4096, &random))
            frame_allocator_free(frames, all[i]);
    }
    free(all);
}

static void bench_our_runs(const struct fragmentation *fragmentation)
{
    struct machine *machine = machine_create(FRAGMENTED_BYTES, 4);
    fragment(&machine->frames, fragmentation);
    for (size_t i = 0; i < sizeof(run_requests) / sizeof(run_requests[0]); i++) {
        const struct run_request *request = &run_requests[i];
        record_rounds("handoff", time_our_runs(&machine->frames, request, &found));
    }
    machine_destroy(machine);
}

static void bench_other_runs(const struct fragmentation *fragmentation)
{
    uint64_t frame_count = FRAGMENTED_BYTES / 4096;
    struct flat_bitmap bitmap;
    struct buddy buddy;
    void *flat_memory = malloc(frame_count / 8);
    void *buddy_memory = calloc(frame_count, sizeof(struct buddy_frame));
    struct random random = {11};
    require(flat_memory != NULL && buddy_memory != NULL, "no memory");
    flat_bitmap_initialise(&bitmap, flat_memory, frame_count);
    buddy_initialise(&buddy, buddy_memory, frame_count);
    uint64_t frame;
    for (uint64_t i = 0; i < frame_count; i++)
        require(flat_bitmap_get(&bitmap, &frame) && buddy_get(&buddy, 0, &frame), "too few");
    for (uint64_t i = 0; i < frame_count; i++) {
        if (fragmentation->stays_used(i, &random))
            continue;
        require(flat_bitmap_put(&bitmap, i) && buddy_put(&buddy, i, 0), "a bad free");
    }
    for (size_t i = 0; i < sizeof(run_requests) / sizeof(run_requests[0]); i++) {
        const struct run_request *request = &run_requests[i];
        record_rounds("flat bitmap", time_flat_runs(&bitmap, request, &found));
        record_rounds("buddy", time_buddy_runs(&buddy, request, &found));
    }
    free(flat_memory);
    free(buddy_memory);
}

/* --- Runs that do not exist ------------------------------------------------------------------- */

static void record_refusals(const char *pattern, const char *size, const char *when,
                            struct refusal_cost cost)
{
    char parameter[64];
    (void)snprintf(parameter, sizeof(parameter), "%s, %s", size, when);
    record_in("ns", pattern, "handoff", parameter, cost.ns);
    record_in("steps", pattern, "handoff", parameter, (double)cost.step_count);
}

static void bench_refusals(void)
{
    for (size_t i = 0; i < refusal_pattern_count; i++) {
        const struct refusal_pattern *pattern = &refusal_patterns[i];
        for (uint64_t ram_bytes = 4 * GIB; ram_bytes <= 256 * GIB; ram_bytes *= 8) {
            char size[16];
            struct machine *machine = machine_create(ram_bytes, 4);
            struct refusal_costs costs = refusals_measure(&machine->frames, pattern);
            size_text(ram_bytes, size, sizeof(size));
            record_refusals(pattern->name, size, "first", costs.first);
            record_refusals(pattern->name, size, "further", costs.further);
            record_refusals(pattern->name, size, "after a free", costs.after_a_free);
            record_refusals(pattern->name, size, "after a run", costs.after_a_removal);
            machine_destroy(machine);
        }
    }
}

int main(int argc, char **argv)
{
    printf("%-24s %-16s %-14s %14s\n", "test", "parameter", "allocator", "cost");
    bench_initialise();
    bench_frames_one_by_one();
    for (size_t i = 0; i < sizeof(fragmentations) / sizeof(fragmentations[0]); i++) {
        bench_our_runs(&fragmentations[i]);
        bench_other_runs(&fragmentations[i]);
    }
    bench_refusals();
    if (argc > 1)
        write_json(argv[1]);
    return 0;
}
