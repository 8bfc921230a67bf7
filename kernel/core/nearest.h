/*
 * nearest.h - find the known name that is nearest to a mistyped one.
 *
 *   struct nearest nearest = nearest_begin(typed);
 *   nearest_consider(&nearest, "heap");              for each known name
 *   if (nearest_is_close(&nearest)) …                "did you mean"
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_CORE_NEAREST_H
#define KERNEL_CORE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/text/piece.h"

/* The limit of a name's length. Only this number of characters of the typed text is compared. */
#define NEAREST_LENGTH_LIMIT 40

struct nearest {
    struct piece typed;
    const char *name; /* the nearest so far, the first of several; NULL before any */
    size_t distance;  /* of it, in edits */
};

struct nearest nearest_begin(struct piece typed);

/* Keep `name`, a constant of at most NEAREST_LENGTH_LIMIT characters, if it is nearer. */
void nearest_consider(struct nearest *nearest, const char *name);

/* Return true if the nearest name is probably meant: at most three edits, and at most half of the
 * characters. */
bool nearest_is_close(const struct nearest *nearest);

/* Return the smallest number of edits from `typed` to `name`. An edit inserts, removes or replaces
 * a character, or exchanges two neighbours. Upper and lower case are equal. If one text of at least
 * three characters is inside the other, the distance is 2: `timeline` is most of `print-timeline`.
 */
size_t nearest_distance(struct piece typed, const char *name);

#endif
