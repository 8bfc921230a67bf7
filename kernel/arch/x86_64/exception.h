/*
 * exception.h - from a CPU exception to a struct fault (kernel/core/fault.h), and from an interrupt
 * to its handler (kernel/core/interrupts.h).
 */
#ifndef KERNEL_ARCH_X86_64_EXCEPTION_H
#define KERNEL_ARCH_X86_64_EXCEPTION_H

#include "kernel/arch/x86_64/registers.h"

/* Called by interrupt_entry.S for every vector, with interrupts off. Returns for interrupts that
 * have a handler; the interrupted code then goes on with these registers. */
void interrupt_handle(struct arch_registers *registers);

#endif
