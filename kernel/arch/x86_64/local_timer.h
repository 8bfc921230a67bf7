/*
 * local_timer.h - the vectors of local_timer.c.
 */
#ifndef KERNEL_ARCH_X86_64_LOCAL_TIMER_H
#define KERNEL_ARCH_X86_64_LOCAL_TIMER_H

/* It is in the highest class of priorities, so the CPU can block every other interrupt. */
#define LOCAL_TIMER_VECTOR 0xf0
/* The APIC sends this if an interrupt vanishes before the CPU takes it. It is not acknowledged
 * (Intel SDM Vol. 3A, 11.9). */
#define LOCAL_TIMER_SPURIOUS_VECTOR 0xff

#endif
