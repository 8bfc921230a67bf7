/*
 * measurement.h - time one operation of the memory stack, for measure.h.
 */
#ifndef KERNEL_DIAGNOSTICS_MEASUREMENT_H
#define KERNEL_DIAGNOSTICS_MEASUREMENT_H

#include <stdint.h>

/* `run` is timed, `undo` is not. */
struct measurement {
    const char *name;
    uint64_t count; /* of operations that `run` makes */
    void (*run)(void *context);
    void (*undo)(void *context);
};

/* Run it a few times, and log the lowest result per operation as ticks_each=… (docs/LOG.md,
 * [measure]). Return the ticks of all `count` operations. */
uint64_t measurement_take(const struct measurement *measurement, void *context);

/* An `undo` that does nothing. */
void measurement_undo_nothing(void *context);

#endif
