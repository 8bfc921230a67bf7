/*
 * first_fit.h - state of the first-fit policy. Only first_fit.c and struct heap use it.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FIRST_FIT_H
#define KERNEL_MM_HEAP_POLICIES_FIRST_FIT_H

#include <stdint.h>

struct first_fit_state {
    uint64_t secret;
    uint8_t *free_list; /* the free blocks in order of address; NULL if nothing is free */
    uint8_t *end;
};

#endif
