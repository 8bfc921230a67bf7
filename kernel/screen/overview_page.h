/*
 * overview_page.h - the overview: machine, physical memory, heaps and boot on one screen.
 *
 *   +---------------------------------------------+
 *   | Handoff                        version, build|  a band
 *   | RAM ...  CPU ...  firmware                   |
 *   | Physical memory                              |
 *   | [============ bar =========================] |  overview_map.h
 *   | # free 502 MiB   # kernel 1.5 MiB  ...       |
 *   | Heaps                                        |
 *   | [=======        bars                       ] |  overview_heaps.h
 *   | Boot                                         |
 *   | read kernel  1.9 ms  [==                   ] |  overview_chart.h, in the rows that remain
 *   | F1 log   type a command                      |  the last row
 *   +---------------------------------------------+
 *
 * The page has at least 80 columns and 30 rows: 640 x 480 pixels. On a larger screen the letters are
 * larger, in whole steps. Nothing reads the framebuffer.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_PAGE_H
#define KERNEL_SCREEN_OVERVIEW_PAGE_H

#include <stdbool.h>

#include "kernel/screen/overview.h"
#include "kernel/screen/overview_pen.h"

/* Where the sections are, in rows. */
struct overview_rows {
    uint32_t machine;
    uint32_t map; /* the heading; the bar begins in the next row */
    uint32_t map_bar_count;
    uint32_t legend;
    uint32_t heaps; /* the heading */
    uint32_t boot;  /* the heading */
    uint32_t boot_count;
    uint32_t keys;
};

#define OVERVIEW_MARGIN_COLUMNS 2

/* Return false if the screen has less than 640 x 480 pixels. */
bool overview_page_measure(const struct canvas *canvas, struct overview_pen *ret_pen,
                           struct overview_rows *ret_rows) __attribute__((warn_unused_result));

/* Draw the page over the whole screen. Return false, and draw nothing, if the screen is too small. */
bool overview_page_draw(const struct canvas *canvas, const struct overview *overview)
    __attribute__((warn_unused_result));

#endif
