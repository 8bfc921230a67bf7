/*
 * stack.h - tell a used-up stack from another fault in the reader's code.
 */
#ifndef LESSONS_STACK_H
#define LESSONS_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Return true if a fault at `address` means that there is no more stack. The stack grows down.
 *   stack_pointer  at the fault
 *   stack_top      an address in a frame that is older than the reader's code
 * No address between the two faults while there is stack. */
bool stack_is_used_up(uint64_t address, uint64_t stack_pointer, uint64_t stack_top);

#endif
