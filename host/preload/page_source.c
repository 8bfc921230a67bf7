#include "host/preload/page_source.h"

#include <sys/mman.h>

#include "host/preload/say.h"

/* The step in which pages are mapped. They stay mapped, since a system call for each 64 KiB would
 * cost more than the heap itself. */
#define COMMIT_BYTES ((size_t)4 << 20)

#define FIRST_BASE      ((uintptr_t)0x240000000000)
#define BASE_STEP_BYTES ((uintptr_t)256 << 20)
#define BASE_COUNT      ((uintptr_t)8192) /* bases in 2 TiB */

static struct {
    uint8_t *base;
    size_t limit_bytes;
    size_t used_bytes;
    size_t mapped_bytes;    /* a multiple of COMMIT_BYTES, or the limit */
    size_t written_bytes;   /* the heap may have used this many of the mapped bytes before */
    size_t fresh_bytes;     /* this many bytes at the end of the last growth are new */
    size_t discarded_pages; /* so far */
} range;

static size_t mapped_for(size_t bytes)
{
    size_t rounded = (bytes + COMMIT_BYTES - 1) / COMMIT_BYTES * COMMIT_BYTES;
    return rounded < range.limit_bytes ? rounded : range.limit_bytes;
}

/* False also if another mapping is there. */
static bool map_at(uint8_t *start, size_t bytes)
{
    void *found = mmap(start, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (found == MAP_FAILED)
        return false;
    if (found != start) { /* a kernel before 4.17 takes the address as a hint */
        (void)munmap(found, bytes);
        return false;
    }
    return true;
}

static bool grow(void *context, size_t additional_bytes)
{
    (void)context;
    if (additional_bytes > range.limit_bytes - range.used_bytes)
        return false;
    size_t mapped_bytes = mapped_for(range.used_bytes + additional_bytes);
    if (mapped_bytes > range.mapped_bytes) {
        if (!map_at(range.base + range.mapped_bytes, mapped_bytes - range.mapped_bytes))
            return false;
        range.mapped_bytes = mapped_bytes;
    }
    range.used_bytes += additional_bytes;
    range.fresh_bytes =
        range.used_bytes > range.written_bytes ? range.used_bytes - range.written_bytes : 0;
    range.written_bytes += range.fresh_bytes;
    return true;
}

static size_t fresh_bytes(void *context)
{
    (void)context;
    return range.fresh_bytes;
}

static void shrink(void *context, size_t bytes)
{
    (void)context;
    range.used_bytes -= bytes;
    size_t keep_bytes = mapped_for(range.used_bytes) + COMMIT_BYTES;
    if (keep_bytes >= range.mapped_bytes)
        return;
    if (munmap(range.base + keep_bytes, range.mapped_bytes - keep_bytes) != 0)
        give_up("heap: the system does not take memory back\n");
    range.mapped_bytes = keep_bytes;
    if (range.written_bytes > keep_bytes)
        range.written_bytes = keep_bytes;
}

/* Return how many of these pages are in memory. */
static size_t resident_pages(uint8_t *start, size_t bytes)
{
    unsigned char states[1024];
    const size_t step_bytes = sizeof states * HEAP_PAGE_SIZE_BYTES;
    size_t count = 0;
    for (size_t done = 0; done < bytes; done += step_bytes) {
        size_t part_bytes = bytes - done < step_bytes ? bytes - done : step_bytes;
        if (mincore(start + done, part_bytes, states) != 0)
            return count;
        for (size_t i = 0; i < part_bytes / HEAP_PAGE_SIZE_BYTES; i++)
            count += states[i] & 1U;
    }
    return count;
}

/* Locked pages stay in memory, since the program locked them on purpose. */
static void discard(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    size_t page_count = resident_pages(range.base + offset_bytes, bytes);
    if (madvise(range.base + offset_bytes, bytes, MADV_DONTNEED) == 0)
        range.discarded_pages += page_count;
}

size_t page_source_limit(size_t maximum_bytes)
{
    return maximum_bytes / COMMIT_BYTES * COMMIT_BYTES;
}

void *page_source_begin(uint64_t random, size_t limit_bytes)
{
    range.base = (uint8_t *)(FIRST_BASE + random % BASE_COUNT * BASE_STEP_BYTES);
    range.limit_bytes = limit_bytes;
    return range.base;
}

struct heap_page_source page_source(void)
{
    return (struct heap_page_source){
        .grow = grow, .shrink = shrink, .fresh_bytes = fresh_bytes, .discard = discard};
}

void page_source_discard_spare(void)
{
    discard(NULL, range.used_bytes, range.mapped_bytes - range.used_bytes);
}

size_t page_source_discarded_pages(void)
{
    return range.discarded_pages;
}
