/*
 * lesson_08_count.h - the lesson's own numbers, and the comparison with the reader's.
 */
#ifndef LESSONS_LESSON_08_COUNT_H
#define LESSONS_LESSON_08_COUNT_H

#include "lessons/lesson_08.h"
#include "lessons/lesson_08_heap.h"

struct lesson_08_count {
    struct judge *judge;
    struct lesson_08_heap heap;
    struct statistics reader;   /* only the reader's code writes it */
    struct statistics expected; /* added up from the pieces; peak and counts are kept */
    bool failed;                /* the last request got NULL */
};

/* The heap has changed. Compare all numbers, and print them. Return false after a wrong one. */
bool lesson_08_compare(struct lesson_08_count *count);

#endif
