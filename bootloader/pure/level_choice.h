/*
 * level_choice.h - decide with how many levels of page tables the kernel should begin.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_LEVEL_CHOICE_H
#define BOOTLOADER_PURE_LEVEL_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

/* A set of numbers of levels: bit n stands for n levels, as in HANDOFF_LEVELS_*. */
#define LEVEL_MASK(levels) (UINT64_C(1) << (levels))

struct level_request {
    unsigned firmware_levels; /* in force: 4 or 5 */
    unsigned wish;            /* of the user: 4, 5, or 0 for any */
    uint64_t kernel_levels;   /* a mask of the levels that the kernel supports; not empty */
    bool ram_needs_five;      /* RAM lies beyond the direct map of four levels */
};

struct level_choice {
    unsigned levels;      /* the best number, if the machine allows it */
    bool is_wish_refused; /* the kernel does not support what the user wishes */
};

/* The user's wish has precedence over RAM, and RAM over the firmware's number. The kernel's levels
 * have precedence over all of them. Precondition: the mask has 4 or 5. */
struct level_choice level_choose(const struct level_request *request);

#endif
