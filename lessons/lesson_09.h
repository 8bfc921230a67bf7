/*
 * lesson_09.h - what docs/learn/exercises/lesson_09.c defines.
 */
#ifndef LESSONS_LESSON_09_H
#define LESSONS_LESSON_09_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"

#define FRAME_BYTES UINT64_C(4096)
#define NO_FRAME    UINT64_MAX /* the answer if there is no such frame */

/* One bit for each frame. Frame n has bit n % 8 of the byte bits[n / 8]: 1 in use, 0 free. The last
 * byte may have bits behind the last frame. They mean nothing, and may hold anything. */
struct frame_map {
    uint8_t *bits;
    uint64_t frame_count;
};

struct lesson_09 {
    void (*mark)(struct frame_map *map, uint64_t frame, bool used);
    bool (*is_used)(const struct frame_map *map, uint64_t frame);
    void (*begin)(struct frame_map *map, uint8_t *bits, uint64_t frame_count);
    void (*add_region)(struct frame_map *map, uint64_t start, uint64_t size_bytes);
    uint64_t (*allocate)(struct frame_map *map);
    bool (*free_frame)(struct frame_map *map, uint64_t address);
    uint64_t (*allocate_run)(struct frame_map *map, uint64_t count);
};

/* The reader's. */
extern const struct lesson_09 lesson_09;

bool lesson_09_run(struct judge *judge);

#endif
