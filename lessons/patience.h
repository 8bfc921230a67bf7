/*
 * patience.h - decide that a call of the reader's code does not return. A timer of the runner ticks.
 */
#ifndef LESSONS_PATIENCE_H
#define LESSONS_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"

#define PATIENCE_SECONDS 5

struct patience {
    uint64_t call;  /* the number of the call at the last tick, or 0 outside of the reader's code */
    uint64_t began; /* when a tick found this call for the first time */
};

/* A timer ticked at the time `now`. Return true if this call of the reader's code has lasted for
 * `limit`. Both have the unit of the runner's clock. */
bool patience_tick(struct patience *patience, const struct judge *judge, uint64_t now,
                   uint64_t limit);

#endif
