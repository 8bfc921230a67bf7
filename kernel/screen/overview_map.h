/*
 * overview_map.h - all RAM as a bar, and its legend.
 *
 *   |low|  free              |firmware|  free     |kernel|in use|
 *
 * The bar is to scale, except that each part gets a few more pixels: otherwise a part of some KiB
 * would not be visible. So its order and its owners are right, and large parts are a little shorter.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_MAP_H
#define KERNEL_SCREEN_OVERVIEW_MAP_H

#include "kernel/screen/overview.h"
#include "kernel/screen/overview_pen.h"

/* Return the colour and the name of an owner. */
uint32_t overview_owner_rgb(enum overview_owner owner);
const char *overview_owner_name(enum overview_owner owner);

/* Draw the bar in a box. */
void overview_map_bar(const struct overview_pen *pen, const struct overview *overview,
                      const struct overview_box *box);

#define OVERVIEW_LEGEND_COLUMNS 3
#define OVERVIEW_LEGEND_ROWS                                                                       \
    ((OVERVIEW_OWNER_COUNT + OVERVIEW_LEGEND_COLUMNS - 1) / OVERVIEW_LEGEND_COLUMNS)

/* Draw the legend in OVERVIEW_LEGEND_ROWS rows, `column_count` columns wide. Each owner has its
 * place there, even if it has no memory. */
void overview_map_legend(const struct overview_pen *pen, const struct overview *overview,
                         uint32_t column, uint32_t row, uint32_t column_count);

#endif
