#include "tests/bench/memory/patterns.h"

#define MIB ((size_t)1 << 20)

/* Allocate `total_bytes` in blocks of one size, from `first` on. Return how many. */
static size_t fill(struct block *first, size_t size_bytes, size_t total_bytes)
{
    size_t count = total_bytes / size_bytes;
    for (size_t i = 0; i < count; i++)
        meter_take(&first[i], size_bytes);
    return count;
}

/* Free all blocks but one in `keep`. The kept ones move to the start. Return how many they are. */
static size_t thin(struct block *first, size_t count, size_t keep)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % keep != keep - 1) {
            meter_give(&first[i]);
            continue;
        }
        struct block kept = first[i];
        first[i] = (struct block){0};
        first[kept_count++] = kept;
    }
    return kept_count;
}

/* Sizes 16 … 1024 in turn: fill 16 MiB with one size, and keep one block in 64. */
void pattern_turns(void)
{
    struct block *blocks = meter_begin(3 * MIB);
    size_t live_count = 0;
    for (size_t size_bytes = 16; size_bytes <= 1024; size_bytes += 16) {
        size_t count = fill(blocks + live_count, size_bytes, 16 * MIB);
        live_count += thin(blocks + live_count, count, 64);
    }
}

/* The same with sizes from 1 KiB to 64 KiB. */
void pattern_medium_turns(void)
{
    struct block *blocks = meter_begin(MIB);
    size_t live_count = 0;
    for (size_t size_bytes = 1024; size_bytes <= 65536; size_bytes += size_bytes / 4) {
        size_t count = fill(blocks + live_count, size_bytes, 32 * MIB);
        live_count += thin(blocks + live_count, count, 32);
    }
}

/* One block of 512 bytes in 8 pins its page, then the next size comes. */
void pattern_pinned_512(void)
{
    struct block *blocks = meter_begin(MIB);
    size_t count = fill(blocks, 512, 32 * MIB);
    size_t kept_count = thin(blocks, count, 8);
    (void)fill(blocks + kept_count, 528, 28 * MIB);
}

/* Each tooth has another size. It falls to a tenth, whose blocks stay for three teeth. */
void pattern_sawtooth(void)
{
    enum { TEETH = 24, STAY = 3 };
    struct block *blocks = meter_begin(4 * MIB);
    struct block *kept[STAY];
    size_t counts[STAY] = {0};
    for (size_t tooth = 0; tooth < TEETH; tooth++) {
        size_t place = tooth % STAY;
        for (size_t i = 0; i < counts[place]; i++)
            meter_give(&kept[place][i]);
        kept[place] = blocks + place * MIB;
        size_t count = fill(kept[place], 24 + tooth * 40, 16 * MIB);
        counts[place] = thin(kept[place], count, 10);
    }
}

static size_t phase_size(size_t phase)
{
    static const size_t limits[] = {64, 4096, 256, 32768, 1024, 128};
    size_t limit_bytes = limits[phase % (sizeof limits / sizeof limits[0])];
    return limit_bytes / 4 + meter_random(limit_bytes);
}

/* Each phase has its own range of sizes. It fills up to 32 MiB, and leaves one block in 20, by
 * chance. */
void pattern_phases(void)
{
    struct block *blocks = meter_begin(2 * MIB);
    size_t live_count = 0;
    for (size_t phase = 0; phase < 12; phase++) {
        size_t start = live_count;
        size_t end = start;
        for (size_t total_bytes = 0; total_bytes < 32 * MIB; end++) {
            meter_take(&blocks[end], phase_size(phase));
            total_bytes += blocks[end].size_bytes;
        }
        for (size_t i = start; i < end; i++) {
            struct block block = blocks[i];
            blocks[i] = (struct block){0};
            if (meter_random(20) == 0)
                blocks[live_count++] = block;
            else
                meter_give(&block);
        }
    }
}
