/*
 * nearest.h - which of some known names a mistyped one may have been meant to be.
 *
 *   struct nearest nearest = nearest_begin(typed);
 *   nearest_consider(&nearest, "heap");              for each name that there is
 *   if (nearest_is_close(&nearest)) …                "did you mean"
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_CORE_NEAREST_H
#define KERNEL_CORE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/text/piece.h"

/* No name is longer. Only so many characters of the typed text are compared. */
#define NEAREST_LENGTH_LIMIT 40

struct nearest {
    struct piece typed;
    const char *name; /* the nearest so far, the first of several; NULL before any */
    size_t distance;  /* of it, in edits */
};

struct nearest nearest_begin(struct piece typed);

/* Keep `name`, a constant of at most NEAREST_LENGTH_LIMIT characters, if it is nearer. */
void nearest_consider(struct nearest *nearest, const char *name);

/* True if the nearest name is near enough to be meant: at most three edits, and at most half of the
 * characters. */
bool nearest_is_close(const struct nearest *nearest);

/* The fewest edits that make `name` of `typed`: one character inserted, removed or replaced, or two
 * neighbours exchanged. Capitals equal small letters. One text inside the other, of three
 * characters or more, is at distance 2: `timeline` is most of `print-timeline`. */
size_t nearest_distance(struct piece typed, const char *name);

#endif
