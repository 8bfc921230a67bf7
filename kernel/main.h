/*
 * main.h - what the entry code calls.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

/* The kernel. Entered once by kernel_entry with the value of the first argument register. */
_Noreturn void kernel_main(const void *handoff);

#endif
