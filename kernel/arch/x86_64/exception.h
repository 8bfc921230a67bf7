/*
 * exception.h - convert a CPU exception to a struct fault (kernel/core/fault.h), and pass an
 * interrupt to its handler (kernel/core/interrupts.h).
 */
#ifndef KERNEL_ARCH_X86_64_EXCEPTION_H
#define KERNEL_ARCH_X86_64_EXCEPTION_H

#include "kernel/arch/x86_64/registers.h"

/* Handle an exception or interrupt. interrupt_entry.S calls it for every vector, with interrupts
 * off. It returns only for interrupts that have a handler. The interrupted code then continues with
 * these registers. */
void interrupt_handle(struct arch_registers *registers);

#endif
