/*
 * patterns.h - patterns of requests that leave free memory between live blocks.
 *
 * Every pattern ends with live blocks, so that "resident / live" has a meaning at the end, too.
 */
#ifndef TESTS_BENCH_MEMORY_PATTERNS_H
#define TESTS_BENCH_MEMORY_PATTERNS_H

#include "tests/bench/memory/meter.h"

/* patterns_sizes.c: the size of the requests changes. */
void pattern_turns(void);
void pattern_pinned_512(void);
void pattern_sawtooth(void);
void pattern_phases(void);
void pattern_medium_turns(void);

/* patterns_growth.c: blocks grow. */
void pattern_slow_growth(void);
void pattern_own_pace(void);
void pattern_vectors(void);
void pattern_texts(void);

/* patterns_life.c: blocks live for different times. */
void pattern_survivors(void);
void pattern_young_and_old(void);
void pattern_producer_consumer(void);
void pattern_cache(void);
void pattern_trees(void);

/* patterns_pages.c: few live blocks hold much free memory. */
void pattern_top_block_trim(void);
void pattern_top_block(void);
void pattern_pinned_pages(void);
void pattern_large_come_and_go(void);
void pattern_valley(void);

#endif
