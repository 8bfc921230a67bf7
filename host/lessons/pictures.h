/*
 * pictures.h - write every state of the heap that a lesson draws, as JSON, one object a line:
 *
 *   {"lesson": 4, "step": 2, "call": "allocate(16)", "size_bytes": 1048576,
 *    "pieces": [{"start_bytes": 0, "end_bytes": 16, "sign": "a"}],
 *    "marks": [{"offset_bytes": 16, "name": "free"}]}
 *
 * The signs are those of lessons/drawing.h. A step may have more than one state.
 */
#ifndef HOST_LESSONS_PICTURES_H
#define HOST_LESSONS_PICTURES_H

#include <stdio.h>

#include "lessons/judge.h"

struct pictures {
    FILE *file;
    const struct judge *judge;
};

/* What struct judge_outlet calls for a picture. `context` is a struct pictures. */
void pictures_write(void *context, const char *title, const struct drawing *drawing);

#endif
