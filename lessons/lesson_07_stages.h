/*
 * lesson_07_stages.h - the two stages of lesson 7. Each runs in memory that begins at `all`.
 */
#ifndef LESSONS_LESSON_07_STAGES_H
#define LESSONS_LESSON_07_STAGES_H

#include "lessons/lesson_07_arena.h"

bool lesson_07_run_lifo(struct judge *judge, uint8_t *all);

/* `all_bytes` is the size of all memory: the second heap of the stage uses it. */
bool lesson_07_run_list(struct judge *judge, uint8_t *all, uint64_t all_bytes);

#endif
