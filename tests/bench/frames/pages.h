/* What mapping and unmapping cost, with tables from any of the allocators: what a table costs is in
 * the figures. */
#ifndef TESTS_BENCH_FRAMES_PAGES_H
#define TESTS_BENCH_FRAMES_PAGES_H

#include "tests/bench/frames/subject.h"

enum pages_how {
    PAGES_RISING,  /* 4 KiB, a call each */
    PAGES_FALLING, /* the same, the highest address first */
    PAGES_RANGE,   /* 4 KiB, all in one call */
    PAGES_LARGE,   /* 2 MiB, all in one call */
};

/* Nanoseconds for each page, once through all of them. Exits if a call fails. */
struct pages_times {
    double map;
    double unmap;
};

struct pages_times pages_measure(const struct subject *tables, enum pages_how how);

#endif
