/*
 * lesson_01.h - what docs/learn/exercises/lesson_01.c defines.
 */
#ifndef LESSONS_LESSON_01_H
#define LESSONS_LESSON_01_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "lessons/memory_row.h"

struct lesson_01 {
    bool (*is_usable)(uint32_t type);
    uint64_t (*usable_bytes)(const struct memory_row *rows, uint64_t row_count);
    struct memory_run (*largest_run)(const struct memory_row *rows, uint64_t row_count);
};

/* The reader's. */
extern const struct lesson_01 lesson_01;

bool lesson_01_run(struct judge *judge);

#endif
