/*
 * lesson.h - the lessons, by their number. Kernel and host run them through this.
 */
#ifndef LESSONS_LESSON_H
#define LESSONS_LESSON_H

#include "lessons/judge.h"

struct lesson {
    unsigned number;
    const char *title; /* "build the bump heap" */
    const char *file;  /* the reader's: "lesson_04.c" */
    /* Call the reader's code and check it. Return false at the first wrong result. */
    bool (*run)(struct judge *judge);
};

/* Return the lesson, or NULL if no lesson has this number. */
const struct lesson *lesson_find(unsigned number);

/* Run it on `size_bytes` of memory at `memory`, from the title to the verdict. *ret_judge must live
 * until the end: judge_fault() needs it. Return whether the lesson is solved. */
bool lesson_run(const struct lesson *lesson, struct judge *ret_judge, struct judge_outlet outlet,
                uint8_t *memory, uint64_t size_bytes);

#endif
