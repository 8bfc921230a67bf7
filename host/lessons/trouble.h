/*
 * trouble.h - catch faults and endless loops in the reader's code, and explain them in words.
 *
 * It does at the desk what the fault handlers and the timer do in the kernel. After the explanation the
 * process ends with status 1. Outside of the reader's code it is a mistake of the lesson: status 2.
 */
#ifndef HOST_LESSONS_TROUBLE_H
#define HOST_LESSONS_TROUBLE_H

#include "lessons/judge.h"

/* Catch faults, a used-up stack, exit() and endless loops from now on. `judge` lives until the end. */
void trouble_catch(struct judge *judge);

#endif
