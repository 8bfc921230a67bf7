/*
 * exception_text.c - the CPU's exceptions in words, for kernel/core/panic_names.c.
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"

const char *arch_exception_name(unsigned number)
{
    return exception_name(number);
}

const char *arch_exception_remedy(unsigned number)
{
    return fault_text_remedy(number);
}
