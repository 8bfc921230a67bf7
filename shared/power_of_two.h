/*
 * power_of_two.h - what every alignment has to be.
 */
#ifndef SHARED_POWER_OF_TWO_H
#define SHARED_POWER_OF_TWO_H

#include <stdbool.h>
#include <stdint.h>

/* True for 1, 2, 4, …; false for 0. */
static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
