/*
 * early_heap_picture.h - the early heap in a row of characters.
 *
 *   ###+............................................................
 *   │  │ └ never touched
 *   │  └ was in use: below the peak
 *   └ in use: below `next`
 *
 * Pure. Phase: any, also after retirement.
 */
#ifndef KERNEL_MM_EARLY_HEAP_PICTURE_H
#define KERNEL_MM_EARLY_HEAP_PICTURE_H

#include <stdint.h>

#include "kernel/mm/early_heap.h"

#define EARLY_HEAP_MAP_CHARACTERS 64

/* Write the row, and a NUL. A character stands for several bytes, and shows the one that was used
 * most. The row may be shorter, since it stops at the heap's end. Return the number of bytes per
 * character. */
uint64_t early_heap_map_draw(const struct early_heap *heap,
                             char map[EARLY_HEAP_MAP_CHARACTERS + 1]);

#endif
