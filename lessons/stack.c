#include "lessons/stack.h"

/* A function that needs a new page may use it this far below the stack pointer. */
#define BELOW_BYTES (64u * 1024)

bool stack_is_used_up(uint64_t address, uint64_t stack_pointer, uint64_t stack_top)
{
    return stack_pointer >= BELOW_BYTES && stack_pointer < stack_top && address < stack_top &&
           address >= stack_pointer - BELOW_BYTES;
}
