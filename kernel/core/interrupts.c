#include "kernel/core/interrupts.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/panic.h"

static struct {
    void (*call)(void *context);
    void *context;
} handlers[INTERRUPT_LINE_COUNT];

void interrupts_set_handler(enum interrupt_line line, void (*handler)(void *context), void *context)
{
    handlers[line].call = handler;
    handlers[line].context = context;
}

void interrupts_allow(void)
{
    kernel_assert(cpu_current()->interrupts.hold_depth == 0);
    arch_interrupts_enable();
}

void interrupts_forbid(void)
{
    arch_interrupts_disable();
}

bool interrupts_are_handled(enum interrupt_line line)
{
    return handlers[line].call != NULL;
}

/* The interrupt is acknowledged before the handler runs. The controller holds another interrupt of
 * the line until interrupts are on again. */
static void serve(enum interrupt_line line)
{
    kernel_assert(interrupts_are_handled(line));
    arch_interrupt_acknowledge();
    handlers[line].call(handlers[line].context);
}

bool interrupts_arrive(enum interrupt_line line)
{
    struct cpu_interrupts *state = &cpu_current()->interrupts;
    if (state->hold_depth != 0) {
        state->pending |= UINT32_C(1) << line;
        state->deferred_count++;
        return false;
    }
    serve(line);
    return true;
}

void interrupts_replay(void)
{
    struct cpu_interrupts *state = &cpu_current()->interrupts;
    while (state->pending != 0) {
        unsigned line = (unsigned)__builtin_ctz(state->pending);
        state->pending &= state->pending - 1;
        serve((enum interrupt_line)line);
    }
    arch_interrupts_enable();
}
