/*
 * power_of_two.h - powers of two, for alignments and sizes.
 */
#ifndef SHARED_POWER_OF_TWO_H
#define SHARED_POWER_OF_TWO_H

#include <stdbool.h>
#include <stdint.h>

/* Return true for 1, 2, 4, …, and false for 0. */
static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
