/*
 * bench_replay.c - replay the requests that a program made to malloc() (host/preload/trace.h), on
 * every allocator.
 *
 *   bench_replay TRACE [--repeats N]
 *       Print one line for each allocator: its name and nanoseconds per record, or "-" and the
 *       reason why it is left out. The first line is "records" and their number. The allocators
 *       are timed in laps, in turns (laps.h).
 *   bench_replay TRACE --memory ALLOCATOR
 *       Print the largest number of requested bytes that were live at once. Print the number of
 *       bytes by which the process grew, with every block filled. Needs a separate process.
 *
 * Aligned blocks are allocated without their alignment, because a trace does not contain it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/preload/trace.h"
#include "tests/bench/heap/allocator.h"
#include "tests/bench/heap/laps.h"

#define LAP_RECORDS 4096
/* The number of records between two readings of the clock. */
#define CHECK_RECORDS 256
/* Records after this number are not replayed. */
#define RECORDS_MAX ((size_t)LAP_RECORDS * LAP_COUNT_MAX)
/* A policy that searches lists would need minutes for one repeat. */
#define PATIENCE_NS 1.5e9

/* The number of times that a process measures its own memory. */
#define LOOK_COUNT 256

#define FREES_NEWEST_ONLY "frees only the newest block"
#define RAN_OUT           "out of memory, with a region of four times the live bytes"

struct trace {
    struct trace_record *records;
    size_t record_count;
    size_t block_count;
    uint64_t peak_live_bytes;
    size_t peak_record; /* the live bytes have their peak after this record */
};

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "bench_replay: %s\n", what);
    exit(1);
}

static void *allocate_table(size_t count, size_t element_bytes)
{
    void *table = calloc(count, element_bytes);
    if (table == NULL)
        give_up("no memory for the trace");
    memset(table, 0, count * element_bytes); /* the pages must exist before the count */
    return table;
}

static void read_records(const char *path, struct trace *trace)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0)
        give_up("the trace cannot be opened");
    size_t count = (size_t)status.st_size / sizeof *trace->records;
    trace->record_count = count < RECORDS_MAX ? count : RECORDS_MAX;
    trace->records = allocate_table(trace->record_count, sizeof *trace->records);
    size_t bytes = trace->record_count * sizeof *trace->records;
    if (bytes == 0 || read(file, trace->records, bytes) != (ssize_t)bytes)
        give_up("the trace cannot be read");
    (void)close(file);
}

/* Find the peak. Change a request for 0 bytes to 1 byte, because allocators disagree about 0. */
static void survey(struct trace *trace)
{
    for (size_t i = 0; i < trace->record_count; i++) {
        struct trace_record *record = &trace->records[i];
        if (record->block >= trace->record_count)
            give_up("the file is not in the format of host/preload/trace.h");
        if (record->block >= trace->block_count)
            trace->block_count = record->block + 1;
        if (record->size_bytes == 0)
            record->size_bytes = 1;
    }
    uint64_t *sizes = allocate_table(trace->block_count, sizeof *sizes);
    uint64_t live_bytes = 0;
    for (size_t i = 0; i < trace->record_count; i++) {
        const struct trace_record *record = &trace->records[i];
        live_bytes -= sizes[record->block];
        sizes[record->block] = record->operation == TRACE_FREE ? 0 : record->size_bytes;
        live_bytes += sizes[record->block];
        if (live_bytes > trace->peak_live_bytes) {
            trace->peak_live_bytes = live_bytes;
            trace->peak_record = i;
        }
    }
    free(sizes);
}

/* Return several times the peak. The other mode measures the memory that an allocator needs. */
static size_t region_bytes(const struct trace *trace)
{
    const size_t page_bytes = 4096;
    return (4 * trace->peak_live_bytes + ((size_t)16 << 20)) / page_bytes * page_bytes;
}

/* --- Time ------------------------------------------------------------------------------------- */

static void **blocks;
static bool ran_out;

TIMED timed_replay(const struct bench_allocator *allocator, const struct trace_record *records,
                   size_t count)
{
    for (const struct trace_record *record = records; record < records + count; record++) {
        void **block = &blocks[record->block];
        if (record->operation == TRACE_FREE) {
            allocator->free(*block);
            *block = NULL;
        } else {
            *block = record->operation == TRACE_ALLOCATE
                         ? allocator->allocate(record->size_bytes)
                         : allocator->reallocate(*block, record->size_bytes);
            if (*block == NULL) {
                ran_out = true;
                return;
            }
        }
    }
}

/* Allocators with a region need no frees: they begin again with an empty region. */
static void free_what_is_left(const struct bench_allocator *allocator, const struct trace *trace)
{
    for (size_t i = 0; i < trace->block_count; i++) {
        if (blocks[i] != NULL && !allocator->has_region)
            allocator->free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* Return NULL, or the reason why there is no figure. */
static const char *replay(const struct bench_allocator *allocator, const struct trace *trace,
                          struct laps *laps)
{
    const char *problem = NULL;
    double started_ns = bench_now_ns();
    laps_begin(laps);
    for (size_t i = 0; i < trace->record_count && problem == NULL; i += CHECK_RECORDS) {
        size_t left = trace->record_count - i;
        if (i != 0 && i % LAP_RECORDS == 0)
            laps_end_one(laps);
        timed_replay(allocator, &trace->records[i], left < CHECK_RECORDS ? left : CHECK_RECORDS);
        if (ran_out)
            problem = RAN_OUT;
        else if (bench_now_ns() - started_ns > PATIENCE_NS)
            problem = "too slow";
    }
    laps_end_one(laps);
    free_what_is_left(allocator, trace);
    return problem;
}

static void time_all(const struct trace *trace, int repeats)
{
    static struct laps laps[BENCH_ALLOCATORS_MAX];
    const char *problems[BENCH_ALLOCATORS_MAX] = {NULL};
    blocks = allocate_table(trace->block_count, sizeof *blocks);
    for (int repeat = 0; repeat < repeats; repeat++) {
        for (size_t a = 0; bench_allocators[a] != NULL; a++) {
            const struct bench_allocator *allocator = bench_allocators[a];
            ran_out = false;
            if (allocator->frees_newest_only)
                problems[a] = FREES_NEWEST_ONLY;
            else if (problems[a] == NULL && allocator->start(region_bytes(trace), &problems[a]))
                problems[a] = replay(allocator, trace, &laps[a]);
        }
    }
    printf("records %zu\n", trace->record_count);
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (problems[a] != NULL)
            printf("%s - %s\n", bench_allocators[a]->name, problems[a]);
        else
            printf("%s %.3f\n", bench_allocators[a]->name,
                   laps_ns(&laps[a]) / (double)trace->record_count);
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* Return the size of the process in RAM. Cheaper figures of the system are some pages behind. */
static uint64_t resident_bytes(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (file == NULL)
        give_up("/proc/self/smaps_rollup cannot be opened");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Rss:", 4) == 0)
            kib = strtoull(line + 4, NULL, 10);
    }
    (void)fclose(file);
    return kib * 1024;
}

static const struct bench_allocator *find(const char *name)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (strcmp(bench_allocators[a]->name, name) == 0)
            return bench_allocators[a];
    }
    give_up("unknown allocator");
}

static void start_or_give_up(const struct bench_allocator *allocator, const struct trace *trace)
{
    const char *reason;
    if (!allocator->start(region_bytes(trace), &reason))
        give_up(reason);
}

/* Return the largest size of the process. Measure from time to time, and at the peak. */
static uint64_t fill_all(const struct bench_allocator *allocator, const struct trace *trace)
{
    uint64_t most_bytes = 0;
    for (size_t i = 0; i < trace->record_count; i++) {
        const struct trace_record *record = &trace->records[i];
        timed_replay(allocator, record, 1);
        if (ran_out)
            give_up(RAN_OUT);
        if (record->operation != TRACE_FREE)
            memset(blocks[record->block], 0x5a, record->size_bytes);
        if (i % (trace->record_count / LOOK_COUNT + 1) == 0 || i == trace->peak_record) {
            uint64_t bytes = resident_bytes();
            most_bytes = bytes > most_bytes ? bytes : most_bytes;
        }
    }
    return most_bytes;
}

/* For an allocator with a region, the figure includes the data that it writes when it starts. For
 * an allocator in a library, it does not include the loading of the library. */
static void measure_memory(const struct trace *trace, const char *name)
{
    const struct bench_allocator *allocator = find(name);
    if (allocator->frees_newest_only)
        give_up(FREES_NEWEST_ONLY);
    blocks = allocate_table(trace->block_count, sizeof *blocks);
    bench_region_untouched();
    if (!allocator->has_region)
        start_or_give_up(allocator, trace);
    (void)resident_bytes(); /* so that its own memory exists */
    uint64_t before_bytes = resident_bytes();
    if (allocator->has_region)
        start_or_give_up(allocator, trace);
    uint64_t most_bytes = fill_all(allocator, trace);
    printf("%llu %llu\n", (unsigned long long)trace->peak_live_bytes,
           (unsigned long long)(most_bytes - before_bytes));
}

int main(int argument_count, char **arguments)
{
    int repeats = 5;
    const char *memory_of = NULL;
    if (argument_count < 2)
        give_up("usage: bench_replay TRACE [--repeats N | --memory ALLOCATOR]");
    for (int i = 2; i + 1 < argument_count; i += 2) {
        if (strcmp(arguments[i], "--repeats") == 0)
            repeats = atoi(arguments[i + 1]);
        else if (strcmp(arguments[i], "--memory") == 0)
            memory_of = arguments[i + 1];
    }
    bench_allocators_load();
    struct trace trace = {0};
    read_records(arguments[1], &trace);
    survey(&trace);
    if (memory_of != NULL)
        measure_memory(&trace, memory_of);
    else
        time_all(&trace, repeats);
    return 0;
}
