/* The cost of mapping and unmapping, with tables from any of the allocators. The figures include
 * the cost of the tables. */
#ifndef TESTS_BENCH_FRAMES_PAGES_H
#define TESTS_BENCH_FRAMES_PAGES_H

#include "tests/bench/frames/subject.h"

enum pages_how {
    PAGES_RISING,  /* 4 KiB, one call for each page */
    PAGES_FALLING, /* the same, the highest address first */
    PAGES_RANGE,   /* 4 KiB, all in one call */
    PAGES_LARGE,   /* 2 MiB, all in one call */
};

/* Nanoseconds for each page, for one pass over all of them. Exits if a call fails. */
struct pages_times {
    double map;
    double unmap;
};

struct pages_times pages_measure(const struct subject *tables, enum pages_how how);

#endif
