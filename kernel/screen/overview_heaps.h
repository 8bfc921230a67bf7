/*
 * overview_heaps.h - the occupancy of the early heap and of the permanent heap.
 *
 *   Early       |used|peak|                    |   the bar is its size
 *               # used 35 KiB  # peak 43 KiB  # size 1 MiB  retired, rest freed
 *   Permanent   |used|mapped|window|           |   the bar is its limit
 *               # used 0 bytes  # mapped 64 KiB  # window 16 MiB  # limit 112 MiB
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_HEAPS_H
#define KERNEL_SCREEN_OVERVIEW_HEAPS_H

#include "kernel/screen/overview.h"
#include "kernel/screen/overview_pen.h"

#define OVERVIEW_HEAPS_ROWS 4

/* Draw both in OVERVIEW_HEAPS_ROWS rows, `column_count` columns wide. */
void overview_heaps_draw(const struct overview_pen *pen, const struct overview *overview,
                         uint32_t column, uint32_t row, uint32_t column_count);

#endif
