/*
 * lesson_10.h - what docs/learn/exercises/lesson_10.c defines and uses.
 */
#ifndef LESSONS_LESSON_10_H
#define LESSONS_LESSON_10_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"

#define PAGE_BYTES    UINT64_C(4096)
#define ENTRY_COUNT   512u /* of a table: each entry is a uint64_t, so a table fills a frame */
#define HIGHEST_LEVEL 4u   /* of the root. A table of level 1 leads to the pages */

/* An entry: flags at both ends, and the physical address of a frame between them. */
#define ENTRY_PRESENT    (UINT64_C(1) << 0)
#define ENTRY_WRITE      (UINT64_C(1) << 1)
#define ENTRY_ADDRESS    UINT64_C(0x000ffffffffff000)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)

#define NOT_MAPPED UINT64_MAX

/* The frames for tables. An entry holds a physical address. Code needs a pointer. */
struct table_frames {
    /* Return the physical address of a frame for a table, or 0 if no frame is left. The frame has
     * the content that its last user has left in it. */
    uint64_t (*allocate)(struct table_frames *frames);
    /* Return the pointer to the 512 entries of the table at this physical address. */
    uint64_t *(*pointer)(struct table_frames *frames, uint64_t physical);
};

struct lesson_10 {
    unsigned (*index_of)(unsigned level, uint64_t virtual);
    uint64_t (*translate)(struct table_frames *frames, uint64_t root, uint64_t virtual);
    bool (*map)(struct table_frames *frames, uint64_t root, uint64_t virtual, uint64_t physical,
                uint64_t flags);
};

/* The reader's. */
extern const struct lesson_10 lesson_10;

bool lesson_10_run(struct judge *judge);

#endif
