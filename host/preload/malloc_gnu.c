/*
 * The other functions of the GNU C library's malloc.h. mallopt() and malloc_info() stay the C
 * library's: they describe its allocator, which is not used here.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>

#include "host/preload/page_source.h"
#include "host/preload/process_heap.h"
#include "host/preload/say.h"
#include "shared/text/format.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED struct mallinfo2 mallinfo2(void)
{
    struct heap_statistics figures;
    heap_statistics(process_heap_lock(), &figures);
    process_heap_unlock();
    return (struct mallinfo2){
        .arena = figures.size_bytes,
        .ordblks = figures.free_block_count,
        .uordblks = figures.used_bytes,
        .fordblks = figures.size_bytes - figures.used_bytes,
    };
}

/* Its fields are too small for a large heap. They then hold their largest value. */
static int clamped(size_t value)
{
    return value < INT_MAX ? (int)value : INT_MAX;
}

EXPORTED struct mallinfo mallinfo(void)
{
    struct mallinfo2 figures = mallinfo2();
    return (struct mallinfo){
        .arena = clamped(figures.arena),
        .ordblks = clamped(figures.ordblks),
        .uordblks = clamped(figures.uordblks),
        .fordblks = clamped(figures.fordblks),
    };
}

/* The words are those of the GNU C library, since programs search for them. */
EXPORTED void malloc_stats(void)
{
    struct mallinfo2 figures = mallinfo2();
    char text[256];
    format_text(text, sizeof text,
                "Total (incl. mmap):\nsystem bytes     = %10zu\nin use bytes     = %10zu\n"
                "max mmap regions = %10u\nmax mmap bytes   = %10u\n",
                figures.arena, figures.uordblks, 0U, 0U);
    say(text);
}

/* Give back all whole free pages, and the pages that are mapped behind the heap's end. `pad_bytes`
 * asks for more free memory at the end than the heap leaves there anyway. */
EXPORTED int malloc_trim(size_t pad_bytes)
{
    (void)pad_bytes;
    int error = errno;
    struct heap *heap = process_heap_lock();
    size_t size_bytes = heap_size_bytes(heap);
    size_t discarded_pages = page_source_discarded_pages();
    heap_trim(heap);
    page_source_discard_spare();
    bool has_given =
        heap_size_bytes(heap) < size_bytes || page_source_discarded_pages() > discarded_pages;
    process_heap_unlock();
    errno = error;
    return has_given;
}
