#include <stdbool.h>

#include "tests/bench/memory/patterns.h"

#define MIB ((size_t)1 << 20)

/* Many small sizes, few large ones. */
static size_t mixed_size(void)
{
    size_t limit_bytes = (size_t)64 << meter_random(7);
    return 16 + meter_random(limit_bytes);
}

static void exchange(struct block *block, size_t size_bytes)
{
    if (block->start != NULL)
        meter_give(block);
    meter_take(block, size_bytes);
}

/* 64 MiB of mixed sizes are built up, then all but one block in 50 go, by chance. */
void pattern_survivors(void)
{
    struct block *blocks = meter_begin(MIB);
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0, total_bytes = 0; total_bytes < 64 * MIB; i++) {
            if (blocks[i].start != NULL)
                continue;
            meter_take(&blocks[i], mixed_size());
            total_bytes += blocks[i].size_bytes;
        }
        for (size_t i = 0; i < MIB; i++) {
            if (blocks[i].start != NULL && meter_random(50) != 0)
                meter_give(&blocks[i]);
        }
    }
}

/* Most blocks live for a short time. One in 30 lives long. */
void pattern_young_and_old(void)
{
    enum { YOUNG = 4096, OLD = 40000, STEPS = 3000000 };
    struct block *blocks = meter_begin(YOUNG + OLD);
    for (size_t step = 0; step < STEPS; step++) {
        bool is_old = meter_random(30) == 0;
        size_t place = is_old ? YOUNG + meter_random(OLD) : meter_random(YOUNG);
        exchange(&blocks[place], mixed_size());
    }
}

/* A queue of messages: its length swings between 1,000 and 60,000. */
void pattern_producer_consumer(void)
{
    enum { LONGEST = 60000, SHORTEST = 1000, SWINGS = 20 };
    struct block *blocks = meter_begin(LONGEST);
    size_t written = 0;
    size_t read = 0;
    for (size_t swing = 0; swing < SWINGS; swing++) {
        size_t limit_bytes = (size_t)128 << swing % 5;
        for (; written - read < LONGEST; written++)
            meter_take(&blocks[written % LONGEST], 32 + meter_random(limit_bytes));
        for (; written - read > SHORTEST; read++)
            meter_give(&blocks[read % LONGEST]);
    }
}

/* A cache of fixed total size. The sizes of its objects drift upwards. */
void pattern_cache(void)
{
    enum { PLACES = 1 << 20, STEPS = 1500000 };
    struct block *blocks = meter_begin(PLACES);
    size_t total_bytes = 0;
    size_t oldest = 0;
    for (size_t step = 0; step < STEPS; step++) {
        size_t most_bytes = 64 + step / 400;
        struct block *block = &blocks[step % PLACES];
        meter_take(block, most_bytes / 2 + meter_random(most_bytes));
        total_bytes += block->size_bytes;
        for (; total_bytes > 48 * MIB; oldest++) {
            total_bytes -= blocks[oldest % PLACES].size_bytes;
            meter_give(&blocks[oldest % PLACES]);
        }
    }
}

/* Groups of nodes are built one beside the other, and go as a whole. One node in 100 stays. */
void pattern_trees(void)
{
    enum { TREES = 64, NODES = 4000, ROUNDS = 1200 };
    struct block *blocks = meter_begin((size_t)TREES * NODES);
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t first = meter_random(TREES) * NODES;
        size_t size_bytes = 24 + 8 * meter_random(24);
        for (size_t i = first; i < first + NODES; i++) {
            if (meter_random(100) == 0 && blocks[i].start != NULL)
                continue;
            exchange(&blocks[i], size_bytes + 8 * meter_random(4));
        }
    }
    for (size_t i = 0; i < (size_t)TREES * NODES; i++) {
        if (i % 100 != 0 && blocks[i].start != NULL)
            meter_give(&blocks[i]);
    }
}
