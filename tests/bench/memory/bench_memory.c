/*
 * bench_memory.c - run one pattern of requests as an ordinary program on malloc(), and print its
 * live and its resident memory.
 *
 *     bench_memory            print the names of the patterns
 *     bench_memory PATTERN    run it; one line of meter_report()
 *
 * LD_PRELOAD chooses the allocator. bench_memory.py runs all patterns on all allocators.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "tests/bench/memory/patterns.h"

static const struct pattern {
    const char *name;
    void (*run)(void);
} patterns[] = {
    {"turns", pattern_turns},
    {"pinned-512", pattern_pinned_512},
    {"slow-growth", pattern_slow_growth},
    {"sawtooth", pattern_sawtooth},
    {"top-block-trim", pattern_top_block_trim},
    {"top-block", pattern_top_block},
    {"survivors", pattern_survivors},
    {"young-and-old", pattern_young_and_old},
    {"producer-consumer", pattern_producer_consumer},
    {"phases", pattern_phases},
    {"cache", pattern_cache},
    {"trees", pattern_trees},
    {"own-pace", pattern_own_pace},
    {"vectors", pattern_vectors},
    {"texts", pattern_texts},
    {"medium-turns", pattern_medium_turns},
    {"pinned-pages", pattern_pinned_pages},
    {"large-come-and-go", pattern_large_come_and_go},
    {"valley", pattern_valley},
};

#define PATTERN_COUNT (sizeof patterns / sizeof patterns[0])

/* Huge pages would make resident memory depend on chance. */
static void switch_huge_pages_off(void)
{
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
        perror("bench_memory: huge pages stay on");
}

int main(int argument_count, char **arguments)
{
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        if (argument_count < 2) {
            (void)printf("%s\n", patterns[i].name);
        } else if (strcmp(arguments[1], patterns[i].name) == 0) {
            switch_huge_pages_off();
            patterns[i].run();
            meter_report();
            return EXIT_SUCCESS;
        }
    }
    if (argument_count < 2)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "bench_memory: there is no pattern \"%s\"\n", arguments[1]);
    return EXIT_FAILURE;
}
