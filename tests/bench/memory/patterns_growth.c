#include "tests/bench/memory/patterns.h"

/* All items grow in turn, by few bytes each time. A new block comes for each growth, as programs
 * without realloc() do it. */
void pattern_slow_growth(void)
{
    enum { ITEMS = 40000 };
    struct block *blocks = meter_begin(ITEMS + 1);
    for (size_t i = 0; i < ITEMS; i++)
        meter_take(&blocks[i], 16);
    for (size_t size_bytes = 32; size_bytes <= 1024; size_bytes += 16) {
        for (size_t i = 0; i < ITEMS; i++) {
            meter_take(&blocks[ITEMS], size_bytes);
            meter_give(&blocks[i]);
            blocks[i] = blocks[ITEMS];
            blocks[ITEMS] = (struct block){0};
        }
    }
}

/* 10,000 vectors grow by realloc(), one element of 16 bytes at a time, each by chance. */
void pattern_vectors(void)
{
    enum { VECTORS = 10000, STEPS = 2000000 };
    struct block *blocks = meter_begin(VECTORS);
    for (size_t i = 0; i < VECTORS; i++)
        meter_take(&blocks[i], 16);
    for (size_t step = 0; step < STEPS; step++) {
        struct block *vector = &blocks[meter_random(VECTORS)];
        meter_resize(vector, vector->size_bytes + 16);
    }
}

/* Texts grow by half their length when they are full, and are cut to their length at the end. */
void pattern_texts(void)
{
    enum { TEXTS = 20000, ROUNDS = 13 };
    struct block *blocks = meter_begin(TEXTS);
    for (size_t i = 0; i < TEXTS; i++)
        meter_take(&blocks[i], 24 + meter_random(40));
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < TEXTS; i++) {
            if (meter_random(4) != 0)
                meter_resize(&blocks[i], blocks[i].size_bytes * 3 / 2);
        }
    }
    for (size_t i = 0; i < TEXTS; i++)
        meter_resize(&blocks[i], blocks[i].size_bytes / 4 * 3);
}

/* 3,000 items grow by 16 bytes each time, one after the other by chance, so that every size is in
 * use at once. A new block comes before the old one goes. */
void pattern_own_pace(void)
{
    enum { ITEMS = 3000, STEPS = ITEMS * 40 };
    struct block *blocks = meter_begin(ITEMS + 1);
    for (size_t i = 0; i < ITEMS; i++)
        meter_take(&blocks[i], 16);
    for (size_t step = 0; step < STEPS; step++) {
        struct block *item = &blocks[meter_random(ITEMS)];
        meter_take(&blocks[ITEMS], item->size_bytes + 16);
        meter_give(item);
        *item = blocks[ITEMS];
        blocks[ITEMS] = (struct block){0};
    }
}
