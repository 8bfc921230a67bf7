/*
 * promise.h - print one line for each promise, in the Test Anything Protocol:
 *
 *   ok cpu-cr0
 *   not ok regions-sorted: expected a base behind the region before it, found 0x9f000
 *   1..42
 *
 * A promise begins, has any number of checks, and ends. The first check that fails prints the line.
 * Later failures of the same promise print nothing.
 */
#ifndef PROBE_PROMISE_H
#define PROBE_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

struct promises {
    const char *name; /* the promise that is being checked */
    bool broken;      /* one of its checks has failed */
    uint64_t kept_count;
    uint64_t broken_count;
};

void promise_begin(struct promises *promises, const char *name);
/* `expected` completes the sentence "expected …". `found` is the number that was found. */
void promise_require(struct promises *promises, bool kept, const char *expected, uint64_t found);
void promise_require_equal(struct promises *promises, uint64_t expected, uint64_t found);
void promise_end(struct promises *promises);

/* A promise with one check. */
void promise_that(struct promises *promises, const char *name, bool kept, const char *expected,
                  uint64_t found);
void promise_equal(struct promises *promises, const char *name, uint64_t expected, uint64_t found);

/* A promise that cannot be checked on this machine: `ok NAME # SKIP why`. */
void promise_skip(struct promises *promises, const char *name, const char *why);

/* Print the last line: the number of promises. */
void promise_plan(const struct promises *promises);

#endif
