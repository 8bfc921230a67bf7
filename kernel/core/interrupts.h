/*
 * interrupts.h - device interrupts, and a way to hold them for a short time without a privileged
 * instruction.
 *
 * Switching interrupts off and on costs more than a short critical section. So code that must not
 * be interrupted only increments a counter. An interrupt that arrives meanwhile stays pending, and
 * the interrupted code continues with interrupts off. The handler runs at the release. Usually no
 * interrupt arrives, and the cost is two additions to memory.
 *
 *   interrupts_hold()                      depth 1
 *     an interrupt arrives                 pending; the CPU's interrupts stay off from here
 *   interrupts_release()                   depth 0: the handler runs, interrupts are on again
 *
 * Each processor has its own state (kernel/core/cpu.h). Phase: any; interrupts arrive only after
 * interrupts_allow().
 */
#ifndef KERNEL_CORE_INTERRUPTS_H
#define KERNEL_CORE_INTERRUPTS_H

#include <stdbool.h>

#include "kernel/core/cpu.h"

enum interrupt_line {
    INTERRUPT_TIMER,
    INTERRUPT_LINE_COUNT,
};

/* Call `handler(context)` for each interrupt of this line from now on, with interrupts off. With
 * NULL, and at first, an interrupt of the line is a panic. */
void interrupts_set_handler(enum interrupt_line line, void (*handler)(void *context),
                            void *context);

bool interrupts_are_handled(enum interrupt_line line);

/* Switch interrupts on, and switch them off permanently. */
void interrupts_allow(void);
void interrupts_forbid(void);

/* Run the handler, or make the interrupt pending. The CPU's interrupt entry calls it, with
 * interrupts off. Precondition: the line has a handler. If it returns false, the interrupted code
 * must continue with interrupts off. */
bool interrupts_arrive(enum interrupt_line line);

/* Finish interrupts_release(), if an interrupt is pending. */
void interrupts_replay(void);

/* Hold handlers until the matching interrupts_release(). Calls nest. Only this CPU depends on the
 * order of the accesses here and in the release, so a fence for the compiler is enough. */
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
