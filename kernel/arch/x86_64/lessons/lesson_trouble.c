#include "kernel/diagnostics/lessons/lesson_arch.h"

#define VECTOR_DIVIDE             0
#define VECTOR_INVALID_OPCODE     6
#define VECTOR_STACK_SEGMENT      12
#define VECTOR_GENERAL_PROTECTION 13

/* The CPU raises the last two for an address that is not canonical. */
enum judge_trouble lesson_arch_trouble(unsigned number)
{
    switch (number) {
    case VECTOR_DIVIDE:
        return JUDGE_DIVIDE;
    case VECTOR_INVALID_OPCODE:
        return JUDGE_INSTRUCTION;
    case VECTOR_STACK_SEGMENT:
    case VECTOR_GENERAL_PROTECTION:
        return JUDGE_NO_ADDRESS;
    default:
        return JUDGE_OTHER;
    }
}
