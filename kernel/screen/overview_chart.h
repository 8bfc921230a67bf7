/*
 * overview_chart.h - the phases of the boot, each with a bar from its start to its end.
 *
 *   read kernel         1.9 ms  |==       |
 *   load kernel         7.4 ms  |  ====   |
 *   kernel: self-test  12.0 ms  |     ====|
 *   14 shorter phases   8.1 ms
 *
 * If not all fit, the shortest phases are left out, and the last row has their sum.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_CHART_H
#define KERNEL_SCREEN_OVERVIEW_CHART_H

#include "kernel/screen/overview.h"
#include "kernel/screen/overview_pen.h"

/* Draw at most `row_count` rows, > 0, and return the number of rows. */
uint32_t overview_chart_draw(const struct overview_pen *pen, const struct overview *overview,
                             uint32_t column, uint32_t row, uint32_t column_count,
                             uint32_t row_count);

/* The colour of the loader's phases, and of the kernel's. */
uint32_t overview_chart_rgb(bool is_loader);

#endif
