/* Lesson 9: frames. This is your file: edit it, then run `make lesson N=9`.
 * lessons/lesson_09.h has struct frame_map, FRAME_BYTES and NO_FRAME. */
#include "lessons/lesson_09.h"

/* Set the bit of this frame to 1 (used) or to 0 (free). Change no other bit. */
static void mark(struct frame_map *map, uint64_t frame, bool used)
{
    (void)map, (void)frame, (void)used; /* Your code, in place of this line. */
}

/* Return whether the bit of this frame is 1. */
static bool is_used(const struct frame_map *map, uint64_t frame)
{
    (void)map, (void)frame; /* Your code, in place of these two lines. */
    return false;
}

/* Set both members of the map. `bits` has room for frame_count bits, and holds anything.
 * Nothing is known of the memory yet: every frame is in use. */
static void begin(struct frame_map *map, uint8_t *bits, uint64_t frame_count)
{
    (void)map, (void)bits, (void)frame_count; /* Your code, in place of this line. */
}

/* Usable memory begins at the address `start`. Make the frames free that lie in it completely.
 * The region may be shorter than a frame. Ignore the part of it behind the last frame. */
static void add_region(struct frame_map *map, uint64_t start, uint64_t size_bytes)
{
    (void)map, (void)start, (void)size_bytes; /* Your code, in place of this line. */
}

/* Take the lowest free frame: it is now in use. Return its address, or NO_FRAME. */
static uint64_t allocate(struct frame_map *map)
{
    (void)map; /* Your code, in place of these two lines. */
    return NO_FRAME;
}

/* Make the frame at this address free, and return true. Return false and change nothing if the
 * address is no multiple of FRAME_BYTES, lies behind the last frame, or its frame is free. */
static bool free_frame(struct frame_map *map, uint64_t address)
{
    (void)map, (void)address; /* Your code, in place of these two lines. */
    return false;
}

/* Take the lowest `count` free frames that follow each other without a gap. `count` is at least 1.
 * Return the address of the first, or NO_FRAME. Then nothing changes. */
static uint64_t allocate_run(struct frame_map *map, uint64_t count)
{
    (void)map, (void)count; /* Your code, in place of these two lines. */
    return NO_FRAME;
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_09 lesson_09 = {mark,     is_used,    begin,       add_region,
                                    allocate, free_frame, allocate_run};
