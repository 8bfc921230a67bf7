/*
 * backtrace_fold.h - a backtrace in few lines: where one repeats, how often.
 *
 * A recursion that never ends fills a stack with the same frame. Printed one by one, its hundreds
 * of lines push everything else off the screen, and the function that began it is never reached.
 *
 * Pure: the two callbacks print. Phase: any.
 */
#ifndef KERNEL_CORE_BACKTRACE_FOLD_H
#define KERNEL_CORE_BACKTRACE_FOLD_H

#include "shared/address.h"

/* Lines of frames. Further frames are only counted. */
#define BACKTRACE_LINE_LIMIT 32

struct backtrace_fold {
    /* A line for the frame number `index`, from 0 on. */
    void (*print_frame)(unsigned index, struct virt_addr return_address);
    /* So many frames more have the address of the line above; 0: addresses of their own, but there
     * were lines enough. */
    void (*print_more)(unsigned count, struct virt_addr return_address);
    struct virt_addr last_address;
    unsigned frame_count;
    unsigned line_count;
    unsigned repeat_count; /* frames like the last one that are not printed yet */
    unsigned cut_count;    /* frames beyond BACKTRACE_LINE_LIMIT lines */
};

/* Take the next frame, innermost first. The fold began as zeros but for the callbacks. */
void backtrace_fold_add(struct backtrace_fold *fold, struct virt_addr return_address);

/* Print the counts that are still open, behind the last frame. */
void backtrace_fold_finish(struct backtrace_fold *fold);

#endif
