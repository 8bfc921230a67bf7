#include "tests/bench/memory/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t live_bytes;
static size_t peak_live_bytes;
static size_t first_resident_bytes;
static uint64_t random_state = 0x2545f4914f6cdd1d;

static void fail(const char *reason)
{
    (void)fprintf(stderr, "bench_memory: %s\n", reason);
    exit(EXIT_FAILURE);
}

/* --- Resident memory -------------------------------------------------------------------------- */

/* Return a figure of the process, "VmRSS" or "VmHWM". Uses no memory of the allocator. */
static size_t read_status(const char *name)
{
    static char text[8192];
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL)
        fail("there is no /proc/self/status");
    static char buffer[BUFSIZ];
    (void)setvbuf(file, buffer, _IOFBF, sizeof buffer);
    size_t length = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *found = strstr(text, name);
    if (found == NULL)
        fail("/proc/self/status has no figure of resident memory");
    return strtoull(found + strlen(name) + 1, NULL, 10) * 1024;
}

/* Let the peak begin at the present figure. */
static void reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0)
        fail("/proc/self/clear_refs does not reset the peak");
}

static size_t above_first(size_t bytes)
{
    return bytes > first_resident_bytes ? bytes - first_resident_bytes : 0;
}

/* --- Blocks ----------------------------------------------------------------------------------- */

struct block *meter_begin(size_t count)
{
    struct block *blocks = mmap(NULL, count * sizeof *blocks, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blocks == MAP_FAILED)
        fail("there is no memory for the table of blocks");
    memset(blocks, 0xff, count * sizeof *blocks);
    memset(blocks, 0, count * sizeof *blocks);
    (void)read_status("VmRSS:"); /* the allocator has started */
    reset_peak();
    first_resident_bytes = read_status("VmRSS:");
    return blocks;
}

static void count(size_t more_bytes, size_t fewer_bytes)
{
    live_bytes += more_bytes - fewer_bytes;
    if (live_bytes > peak_live_bytes)
        peak_live_bytes = live_bytes;
}

void meter_take(struct block *block, size_t size_bytes)
{
    block->start = malloc(size_bytes);
    if (block->start == NULL)
        fail("there is no memory");
    block->size_bytes = size_bytes;
    memset(block->start, 0x5a, size_bytes);
    count(size_bytes, 0);
}

void meter_give(struct block *block)
{
    count(0, block->size_bytes);
    free(block->start);
    *block = (struct block){0};
}

void meter_resize(struct block *block, size_t size_bytes)
{
    size_t old_bytes = block->size_bytes;
    char *start = realloc(block->start, size_bytes);
    if (start == NULL)
        fail("there is no memory");
    *block = (struct block){.start = start, .size_bytes = size_bytes};
    if (size_bytes > old_bytes)
        memset(start + old_bytes, 0x5a, size_bytes - old_bytes);
    count(size_bytes, old_bytes);
}

size_t meter_random(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 16) % limit;
}

void meter_report(void)
{
    size_t end_bytes = above_first(read_status("VmRSS:"));
    size_t peak_bytes = above_first(read_status("VmHWM:"));
    (void)printf("%zu %zu %zu %zu\n", peak_live_bytes, peak_bytes, live_bytes, end_bytes);
}
