/*
 * backtrace_fold.h - print a backtrace in few lines: a repeated frame is printed once, with a
 * count.
 *
 * An endless recursion fills a stack with the same frame. Without the fold, hundreds of equal lines
 * push all other text off the screen, and the function that began the recursion is not printed.
 *
 * Pure: the two callbacks print. Phase: any.
 */
#ifndef KERNEL_CORE_BACKTRACE_FOLD_H
#define KERNEL_CORE_BACKTRACE_FOLD_H

#include "shared/address.h"

/* The limit of lines. Further frames are only counted. */
#define BACKTRACE_LINE_LIMIT 32

struct backtrace_fold {
    /* Print a line for frame number `index`, which counts from 0. */
    void (*print_frame)(unsigned index, struct virt_addr return_address);
    /* Print that `count` more frames follow. They have the address of the line above, or, if
     * `return_address` is 0, different addresses beyond the limit of lines. */
    void (*print_more)(unsigned count, struct virt_addr return_address);
    struct virt_addr last_address;
    unsigned frame_count;
    unsigned line_count;
    unsigned repeat_count; /* frames like the last one that are not printed yet */
    unsigned cut_count;    /* frames beyond BACKTRACE_LINE_LIMIT lines */
};

/* Add the next frame, innermost first. Precondition: the fold began as zeros except for the
 * callbacks. */
void backtrace_fold_add(struct backtrace_fold *fold, struct virt_addr return_address);

/* Print the remaining counts. Call it after the last frame. */
void backtrace_fold_finish(struct backtrace_fold *fold);

#endif
