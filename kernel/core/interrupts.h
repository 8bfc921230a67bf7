/*
 * interrupts.h - device interrupts, and how code keeps them out for a moment without a privileged
 * instruction.
 *
 * To switch interrupts off and on again costs more than a short critical section. So code only
 * counts, in a variable, that it must not be interrupted. An interrupt that arrives meanwhile stays
 * pending, and the interrupted code goes on with interrupts off. The handler runs at the release.
 * Usually no interrupt arrives, and the cost is two additions to memory.
 *
 *   interrupts_hold()                      depth 1
 *     an interrupt arrives                 pending; the CPU's interrupts stay off from here
 *   interrupts_release()                   depth 0: the handler runs, interrupts are on again
 *
 * The state is one processor's (kernel/core/cpu.h).
 * Phase: any; interrupts arrive only after interrupts_allow().
 */
#ifndef KERNEL_CORE_INTERRUPTS_H
#define KERNEL_CORE_INTERRUPTS_H

#include <stdbool.h>

#include "kernel/core/cpu.h"

enum interrupt_line {
    INTERRUPT_TIMER,
    INTERRUPT_LINE_COUNT,
};

/* From now on `handler(context)` is called for each interrupt of that line, with interrupts off.
 * NULL: the line is a panic again, as every line is at first. */
void interrupts_set_handler(enum interrupt_line line, void (*handler)(void *context),
                            void *context);

bool interrupts_are_handled(enum interrupt_line line);

/* Let interrupts in; and keep them out for good. */
void interrupts_allow(void);
void interrupts_forbid(void);

/* Called by the CPU's interrupt entry, with interrupts off. Precondition: the line is handled.
 * False: the interrupted code must go on with interrupts off. */
bool interrupts_arrive(enum interrupt_line line);

/* The rest of interrupts_release(), if an interrupt is pending. */
void interrupts_replay(void);

/* Keep handlers out until the matching interrupts_release(). Nests. The order of the accesses here
 * and in release matters against the CPU itself, not against others: a fence for the compiler. */
static inline void interrupts_hold(void)
{
    cpu_current()->interrupts.hold_depth++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void interrupts_release(void)
{
    struct cpu_interrupts *state = &cpu_current()->interrupts;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    state->hold_depth--;
    if (__builtin_expect(state->pending != 0, 0) && state->hold_depth == 0)
        interrupts_replay();
}

#endif
