/*
 * random.h - pseudo-random numbers that are the same in every run (xorshift64*, Vigna 2016).
 */
#ifndef TESTS_UNIT_SUPPORT_RANDOM_H
#define TESTS_UNIT_SUPPORT_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* never 0 */
};

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 … limit - 1. Precondition: limit > 0. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return (random_next(random) >> 8) % limit;
}

#endif
