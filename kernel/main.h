/*
 * main.h - the function that the entry code calls.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

/* Run the kernel. kernel_entry calls it once, with the value of the first argument register. */
_Noreturn void kernel_main(const void *handoff);

#endif
