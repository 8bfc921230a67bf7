/*
 * laps.h - time a workload in laps of a fixed number of operations. The result is the least time of
 * each lap over all repeats. An interrupt then spoils only one lap of one repeat.
 */
#ifndef TESTS_BENCH_HEAP_LAPS_H
#define TESTS_BENCH_HEAP_LAPS_H

#include <stddef.h>

#define LAP_COUNT_MAX 512

/* All fields are 0 before the first repeat. */
struct laps {
    double least_ns[LAP_COUNT_MAX];
    size_t count;
    double started_ns;
};

/* Names of timed functions begin with timed_, so that callgrind can count only these functions. */
#define TIMED static __attribute__((noinline)) void

double bench_now_ns(void);

/* Begin a repeat. End a lap and begin the next one. A repeat has at most LAP_COUNT_MAX laps. */
void laps_begin(struct laps *laps);
void laps_end_one(struct laps *laps);

/* Return the time of a whole repeat, and the time of one part of it. */
double laps_ns(const struct laps *laps);
double laps_ns_per_operation(const struct laps *laps, double operations_per_lap);

#endif
