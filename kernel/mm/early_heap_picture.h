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

/* Write the row, NUL-terminated. A character shows the most used of its bytes. The row may be
 * shorter where the heap ends. Returns the number of bytes per character. */
uint64_t early_heap_map_draw(const struct early_heap *heap,
                             char map[EARLY_HEAP_MAP_CHARACTERS + 1]);

#endif
