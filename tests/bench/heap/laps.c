#include "tests/bench/heap/laps.h"

#include <time.h>

double bench_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void laps_begin(struct laps *laps)
{
    laps->count = 0;
    laps->started_ns = bench_now_ns();
}

void laps_end_one(struct laps *laps)
{
    double elapsed_ns = bench_now_ns() - laps->started_ns;
    double *least_ns = &laps->least_ns[laps->count++];
    if (*least_ns == 0 || elapsed_ns < *least_ns)
        *least_ns = elapsed_ns;
    laps->started_ns = bench_now_ns();
}

double laps_ns(const struct laps *laps)
{
    double sum_ns = 0;
    for (size_t i = 0; i < laps->count; i++)
        sum_ns += laps->least_ns[i];
    return sum_ns;
}

double laps_ns_per_operation(const struct laps *laps, double operations_per_lap)
{
    return laps_ns(laps) / (double)laps->count / operations_per_lap;
}
