/*
 * lesson_arch.h - what the run of a lesson needs of the CPU (kernel/arch/<cpu>/lessons/).
 */
#ifndef KERNEL_DIAGNOSTICS_LESSONS_LESSON_ARCH_H
#define KERNEL_DIAGNOSTICS_LESSONS_LESSON_ARCH_H

#include <stdbool.h>

#include "lessons/judge.h"

/* Call function(context). Return true if it returned, false if lesson_arch_leave() ended it. Calls do
 * not nest. */
bool lesson_arch_call(void (*function)(void *context), void *context);

/* End the function that lesson_arch_call() called. A handler of a fault or of an interrupt may call it,
 * on any stack. Interrupts stay as they are: off in a handler. */
_Noreturn void lesson_arch_leave(void);

/* Return what the CPU's exception `number` says about the reader's code. */
enum judge_trouble lesson_arch_trouble(unsigned number);

#endif
