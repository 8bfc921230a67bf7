/*
 * patience.h - decide that a call of the reader's code does not return. A timer of the runner ticks.
 */
#ifndef LESSONS_PATIENCE_H
#define LESSONS_PATIENCE_H

#include <stdbool.h>

#include "lessons/judge.h"

#define PATIENCE_SECONDS 5

struct patience {
    unsigned step;  /* the step at the last tick */
    unsigned ticks; /* how many ticks found the reader's code in this step */
};

/* A timer ticked. Return true if this call of the reader's code has lasted for `limit_ticks`. */
bool patience_tick(struct patience *patience, const struct judge *judge, unsigned limit_ticks);

#endif
