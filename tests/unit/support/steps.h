/*
 * steps.h - count the instructions of a call, exactly: the CPU traps after each one (Intel SDM
 * Vol. 3, 17.3.1.4, single-step exceptions), and the signal's handler counts.
 *
 * The instructions of a sanitizer are counted, too. So only counts of the same program can be
 * compared.
 */
#ifndef TESTS_UNIT_SUPPORT_STEPS_H
#define TESTS_UNIT_SUPPORT_STEPS_H

#include <stdint.h>

/* Count the instructions of this thread until steps_end(), but at most `most`, so that a slow call
 * does not take hours. */
void steps_begin(uint64_t most);
/* Return the number of instructions, without those of these two calls. */
uint64_t steps_end(void);

#endif
