#include <malloc.h>

#include "tests/bench/memory/patterns.h"

#define MIB ((size_t)1 << 20)

/* 190 MiB in blocks of 100 to 100,000 bytes, then a last block. All but the last one go. */
static void build_and_free(void)
{
    enum { PLACES = 200000 };
    struct block *blocks = meter_begin(PLACES);
    size_t count = 0;
    for (size_t total_bytes = 0; total_bytes < 190 * MIB; count++) {
        meter_take(&blocks[count], (size_t)100 << meter_random(10));
        total_bytes += blocks[count].size_bytes;
    }
    meter_take(&blocks[count], 100000);
    for (size_t i = 0; i < count; i++)
        meter_give(&blocks[i]);
}

void pattern_top_block_trim(void)
{
    build_and_free();
    (void)malloc_trim(0);
}

void pattern_top_block(void)
{
    build_and_free();
}

/* Runs of whole pages. One block in 16 stays, then longer runs come. */
void pattern_pinned_pages(void)
{
    struct block *blocks = meter_begin(MIB);
    size_t end = 0;
    for (size_t size_bytes = 4096; size_bytes <= 65536; size_bytes *= 2) {
        size_t start = end;
        for (size_t total_bytes = 0; total_bytes < 32 * MIB; total_bytes += size_bytes)
            meter_take(&blocks[end++], size_bytes - 64);
        for (size_t i = start; i < end; i++) {
            if (i % 16 != 0)
                meter_give(&blocks[i]);
        }
    }
}

/* Buffers of 100 KB to 4 MB come and go beside small blocks that stay. */
void pattern_large_come_and_go(void)
{
    enum { BUFFERS = 24, STEPS = 1500, SMALL = STEPS * 8 };
    struct block *blocks = meter_begin(BUFFERS + SMALL);
    struct block *small = blocks + BUFFERS;
    for (size_t step = 0; step < STEPS; step++) {
        struct block *buffer = &blocks[meter_random(BUFFERS)];
        if (buffer->start != NULL)
            meter_give(buffer);
        meter_take(buffer, (size_t)100000 + meter_random((size_t)100000 << meter_random(6)));
        for (size_t i = 0; i < 8; i++)
            meter_take(small++, 200);
    }
    for (size_t i = 0; i < BUFFERS; i += 2) {
        if (blocks[i].start != NULL)
            meter_give(&blocks[i]);
    }
}

/* A long run of small blocks goes between two runs that stay. */
void pattern_valley(void)
{
    enum { COUNT = 600000, EDGE = COUNT / 20 };
    struct block *blocks = meter_begin(COUNT);
    for (size_t i = 0; i < COUNT; i++)
        meter_take(&blocks[i], 32 + meter_random(200));
    for (size_t i = EDGE; i < COUNT - EDGE; i++)
        meter_give(&blocks[i]);
    for (size_t i = 0; i < 1000; i++)
        meter_take(&blocks[EDGE + i], 2000);
}
