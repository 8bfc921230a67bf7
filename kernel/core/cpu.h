/*
 * cpu.h - the state of each processor.
 *
 * One processor runs today, so there is one instance, at a constant address. With several there is
 * an array of them, and only cpu_current() changes. Code reaches its own instance through
 * cpu_current(); no code writes that of another processor.
 *
 * Phase: any.
 */
#ifndef KERNEL_CORE_CPU_H
#define KERNEL_CORE_CPU_H

#include <stdint.h>

#include "kernel/core/panic.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "shared/address.h"

/* One for each processor. (On the host, where a processor is a thread, the tests define it.) */
#ifndef PER_CPU
#define PER_CPU
#endif

/* kernel/core/interrupts.h */
struct cpu_interrupts {
    volatile unsigned hold_depth;
    volatile uint32_t pending; /* bit n: line n has arrived and waits */
    uint64_t deferred_count;   /* interrupts that had to wait */
};

/* kernel/core/panic.h */
struct cpu_panic {
    unsigned depth; /* of panics inside panics */
    unsigned note_count;
    struct cpu_panic_note {
        const char *role;
        const void *address;
    } notes[PANIC_NOTE_LIMIT];
};

/* The largest number of stacks for handlers that must not run on a broken stack
 * (arch_interrupt_stack_name() in kernel/arch.h). */
#define CPU_INTERRUPT_STACK_LIMIT 4

struct cpu {
    struct cpu_interrupts interrupts;
    struct cpu_panic panic;
    struct frame_reserve frame_reserve; /* empty until boot_frames() */
    struct arch_cpu *arch;              /* descriptor tables and more; NULL until boot_cpu() */
    struct virt_addr interrupt_stack_tops[CPU_INTERRUPT_STACK_LIMIT];
};

extern PER_CPU struct cpu cpu_instance;

/* Return the processor that runs this code. */
static inline struct cpu *cpu_current(void)
{
    return &cpu_instance;
}

#endif
