/*
 * panic_names.c - the names of the panic codes, for people and for docs/LOG.md.
 */
#include "kernel/panic.h"

#include <stddef.h>

#include "kernel/arch.h"

struct code_name {
    enum panic_code code;
    const char *name;
};

static const struct code_name code_names[] = {
    {PANIC_HANDOFF, "bad handoff"},
    {PANIC_EARLY_HEAP_STRICT, "temporary heap refused"},
    {PANIC_EARLY_HEAP_EXHAUSTED, "early heap exhausted"},
    {PANIC_EARLY_HEAP_RETIRED, "early heap used after retirement"},
    {PANIC_EARLY_HEAP_FREE, "early heap free out of order"},
    {PANIC_EARLY_HEAP_CORRUPT, "early heap corrupt"},
    {PANIC_MEMORY_MAP, "unusable memory map"},
    {PANIC_FRAME_METADATA, "no room for frame metadata"},
    {PANIC_FRAME_FREE, "bad free of a frame"},
    {PANIC_FRAME_CORRUPT, "frame allocator corrupt"},
    {PANIC_PAGE_TABLES, "page tables cannot be built"},
    {PANIC_PAGE_AUDIT, "page tables break a rule"},
    {PANIC_HEAP_INIT, "heap cannot start"},
    {PANIC_HEAP_DOUBLE_FREE, "heap double free"},
    {PANIC_HEAP_BAD_POINTER, "heap bad pointer"},
    {PANIC_HEAP_OVERRUN, "heap block overrun"},
    {PANIC_HEAP_CORRUPT, "heap corrupt"},
    {PANIC_SELF_TEST, "self-test failed"},
    {PANIC_ASSERTION, "assertion failed"},
    {PANIC_STACK_OVERFLOW, "stack overflow"},
    {PANIC_NULL_ACCESS, "null pointer access"},
    {PANIC_WRITE_PROTECTION, "write to read-only memory"},
    {PANIC_EXECUTE_PROTECTION, "execution of non-executable memory"},
    {PANIC_POWER_OFF, "power off failed"},
    {PANIC_NESTED, "panic inside a panic"},
    {PANIC_UNEXPECTED_INTERRUPT, "unexpected interrupt"},
    {PANIC_LOADER_FAULT, "fault before the kernel's handlers"},
    {PANIC_KERNEL_RETURNED, "kernel entry returned"},
    {PANIC_GUARD_PAGE, "guard page hit"},
    {PANIC_LOCK_STUCK, "lock stuck"},
    {PANIC_UNDEFINED, "undefined behaviour"},
    {PANIC_BAD_ACCESS, "bad access to the heap"},
    {PANIC_HEAP_GUARD, "heap guard hit"},
};

const char *panic_code_name(enum panic_code code)
{
    if (code >= PANIC_EXCEPTION_BASE)
        return arch_exception_name((unsigned)code - PANIC_EXCEPTION_BASE);
    for (size_t i = 0; i < sizeof code_names / sizeof code_names[0]; i++) {
        if (code_names[i].code == code)
            return code_names[i].name;
    }
    return "unknown";
}
