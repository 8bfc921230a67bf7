/*
 * steps.h - count the instructions of a call, exactly: the CPU traps after each one (Intel SDM
 * Vol. 3, 17.3.1.4, single-step exceptions), and the signal's handler counts.
 *
 * What a sanitizer adds is counted, too, so that counts of one program compare with each other.
 */
#ifndef TESTS_UNIT_SUPPORT_STEPS_H
#define TESTS_UNIT_SUPPORT_STEPS_H

#include <stdint.h>

/* Counts from here to steps_end(), in this thread, but no further than `most`, so that a call which
 * takes too long does not take hours. */
void steps_begin(uint64_t most);
/* How many there were, those of these two calls taken off. */
uint64_t steps_end(void);

#endif
