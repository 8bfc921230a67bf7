/*
 * laps.h - time a workload in laps of so many operations. What counts is the least time of each lap
 * over all repeats: a repeat that was interrupted spoils one lap, not the figure.
 */
#ifndef TESTS_BENCH_HEAP_LAPS_H
#define TESTS_BENCH_HEAP_LAPS_H

#include <stddef.h>

#define LAP_COUNT_MAX 512

/* All zero before the first repeat. */
struct laps {
    double least_ns[LAP_COUNT_MAX];
    size_t count;
    double started_ns;
};

/* The functions that are timed have names that begin with timed_, so that callgrind can count them
 * alone. */
#define TIMED static __attribute__((noinline)) void

double bench_now_ns(void);

/* A repeat begins; and a lap of it ends (at most LAP_COUNT_MAX do), and the next one begins. */
void laps_begin(struct laps *laps);
void laps_end_one(struct laps *laps);

/* Of a whole repeat; and shared out. */
double laps_ns(const struct laps *laps);
double laps_ns_per_operation(const struct laps *laps, double operations_per_lap);

#endif
