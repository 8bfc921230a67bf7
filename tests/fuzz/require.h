/*
 * require.h - checks of the fuzzers. If one fails, the run stops and libFuzzer keeps the input.
 */
#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Stop if `condition` is false. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Stop if `expression` names a problem. NULL means that there is no problem. */
#define require_no_problem(expression)                                                             \
    do {                                                                                           \
        const char *require_problem = (expression);                                                \
        if (require_problem != NULL) {                                                             \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, require_problem);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

#endif
