/* Lesson 9: frames. A solution. */
#include "lessons/lesson_09.h"

static void mark(struct frame_map *map, uint64_t frame, bool used)
{
    uint8_t bit = (uint8_t)(1u << frame % 8);
    if (used)
        map->bits[frame / 8] |= bit;
    else
        map->bits[frame / 8] &= (uint8_t)~bit;
}

static bool is_used(const struct frame_map *map, uint64_t frame)
{
    return (map->bits[frame / 8] >> frame % 8 & 1) != 0;
}

static void begin(struct frame_map *map, uint8_t *bits, uint64_t frame_count)
{
    map->bits = bits;
    map->frame_count = frame_count;
    for (uint64_t frame = 0; frame < frame_count; frame++)
        mark(map, frame, true);
}

static void add_region(struct frame_map *map, uint64_t start, uint64_t size_bytes)
{
    uint64_t first = (start + FRAME_BYTES - 1) / FRAME_BYTES; /* up */
    uint64_t end = (start + size_bytes) / FRAME_BYTES;        /* down */
    for (uint64_t frame = first; frame < end && frame < map->frame_count; frame++)
        mark(map, frame, false);
}

static uint64_t allocate(struct frame_map *map)
{
    for (uint64_t frame = 0; frame < map->frame_count; frame++) {
        if (!is_used(map, frame)) {
            mark(map, frame, true);
            return frame * FRAME_BYTES;
        }
    }
    return NO_FRAME;
}

static bool free_frame(struct frame_map *map, uint64_t address)
{
    uint64_t frame = address / FRAME_BYTES;
    if (address % FRAME_BYTES != 0 || frame >= map->frame_count || !is_used(map, frame))
        return false;
    mark(map, frame, false);
    return true;
}

static uint64_t allocate_run(struct frame_map *map, uint64_t count)
{
    uint64_t length = 0; /* free frames in a row, the newest included */
    for (uint64_t frame = 0; frame < map->frame_count; frame++) {
        length = is_used(map, frame) ? 0 : length + 1;
        if (length == count) {
            uint64_t first = frame + 1 - count;
            for (uint64_t taken = first; taken <= frame; taken++)
                mark(map, taken, true);
            return first * FRAME_BYTES;
        }
    }
    return NO_FRAME;
}

const struct lesson_09 lesson_09 = {mark,     is_used,    begin,       add_region,
                                    allocate, free_frame, allocate_run};
