/*
 * lesson_watch.h - run a lesson so that no fault and no endless loop in the reader's code ends the boot.
 */
#ifndef KERNEL_DIAGNOSTICS_LESSONS_LESSON_WATCH_H
#define KERNEL_DIAGNOSTICS_LESSONS_LESSON_WATCH_H

#include "kernel/kernel.h"
#include "lessons/lesson.h"

/* Run `lesson` on `size_bytes` of memory at `memory`, and log its lines. After a fault in the reader's
 * code, or a call that does not return, the lesson says so in words and ends. A fault outside of the
 * reader's code is a panic as always. */
void lesson_watch(struct kernel *kernel, const struct lesson *lesson, uint8_t *memory,
                  uint64_t size_bytes);

#endif
