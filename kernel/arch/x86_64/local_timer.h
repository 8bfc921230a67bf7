/*
 * local_timer.h - the vectors of local_timer.c.
 */
#ifndef KERNEL_ARCH_X86_64_LOCAL_TIMER_H
#define KERNEL_ARCH_X86_64_LOCAL_TIMER_H

/* Of the highest class of priorities, so that the CPU can keep out every other interrupt. */
#define LOCAL_TIMER_VECTOR 0xf0
/* The APIC sends this where an interrupt went away before it was taken. It is not acknowledged
 * (Intel SDM Vol. 3A, 11.9). */
#define LOCAL_TIMER_SPURIOUS_VECTOR 0xff

#endif
