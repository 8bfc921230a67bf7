/*
 * best_fit.h - state of the best-fit policy. Only best_fit.c and struct heap use it.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_H

#include <stdint.h>

struct best_fit_segment;

struct best_fit_state {
    uint64_t secret;
    struct best_fit_segment *first;     /* in order of address */
    struct best_fit_segment *end;       /* the end marker: the last header, never free */
    struct best_fit_segment *free_list; /* any order; NULL if nothing is free */
};

#endif
