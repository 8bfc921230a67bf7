/*
 * panic_names.c - the names and remedies of the panic codes, for users and for docs/LOG.md.
 */
#include "kernel/core/panic.h"

#include <stddef.h>

#include "kernel/arch.h"

struct code_name {
    enum panic_code code;
    const char *name;
    const char *remedy;
};

static const struct code_name code_names[] = {
    {PANIC_HANDOFF, "bad handoff",
     "copy the loader and the kernel again, both from the same build"},
    {PANIC_EARLY_HEAP_STRICT, "temporary heap refused",
     "remove heap=strict, or set temp_heap in handoff.conf to a size that the machine has"},
    {PANIC_EARLY_HEAP_EXHAUSTED, "early heap exhausted", "set a larger temp_heap in handoff.conf"},
    {PANIC_EARLY_HEAP_RETIRED, "early heap used after retirement",
     "use kmalloc() in the function that the backtrace names"},
    {PANIC_EARLY_HEAP_FREE, "early heap free out of order",
     "free the newest block first, and each block only once: kernel/mm/early_heap.h"},
    {PANIC_EARLY_HEAP_CORRUPT, "early heap corrupt",
     "look for a write beyond a block of the early heap; the cause names the place"},
    {PANIC_MEMORY_MAP, "unusable memory map",
     "give the machine more memory; the cause names both sizes"},
    {PANIC_FRAME_METADATA, "no room for frame metadata",
     "report it with the memory map: print-regions logs it"},
    {PANIC_FRAME_FREE, "bad free of a frame", "correct the caller that the backtrace names"},
    {PANIC_PAGE_TABLES, "page tables cannot be built",
     "give the machine more memory; if it has enough, report the cause"},
    {PANIC_PAGE_AUDIT, "page tables break a rule", "report the cause, which names the page"},
    {PANIC_HEAP_INIT, "heap cannot start",
     "give the machine more memory, or call kmalloc() later; the cause names the reason"},
    {PANIC_HEAP_DOUBLE_FREE, "heap double free",
     "remove one of the two calls of kfree(); the backtrace names the second call"},
    {PANIC_HEAP_BAD_POINTER, "heap bad pointer",
     "give kfree() only pointers from kmalloc(); the backtrace names the caller"},
    {PANIC_HEAP_OVERRUN, "heap overrun",
     "look for a write beyond the block; heap_debug=on names the block's allocation"},
    {PANIC_HEAP_CORRUPT, "heap corrupt",
     "look for a write to a freed block or beyond a block; heap_debug=on finds more of them"},
    {PANIC_SELF_TEST, "self-test failed", "report it with the whole log"},
    {PANIC_ASSERTION, "assertion failed", "report the condition and the backtrace"},
    {PANIC_STACK_OVERFLOW, "stack overflow", "use less recursion, or smaller local variables"},
    {PANIC_NULL_ACCESS, "null pointer access",
     "check the pointer in the function that the backtrace names"},
    {PANIC_WRITE_PROTECTION, "write to read-only memory",
     "look for a bad pointer in the function that the backtrace names"},
    {PANIC_EXECUTE_PROTECTION, "execution of non-executable memory",
     "look for a bad function pointer in the caller that the backtrace names"},
    {PANIC_POWER_OFF, "power off failed", "switch the machine off by hand"},
    {PANIC_NESTED, "panic inside a panic",
     "look at the lines above this one: they describe the first panic"},
    {PANIC_UNEXPECTED_INTERRUPT, "unexpected interrupt",
     "set a handler for the vector, or mask its device"},
    {PANIC_LOADER_FAULT, "fault before the kernel's handlers",
     "look at the registers in the loader's report: they name the place"},
    {PANIC_KERNEL_RETURNED, "kernel entry returned",
     "end the kernel's entry with a loop that halts the CPU"},
    {PANIC_GUARD_PAGE, "guard page hit", "look for an overrun that missed every block"},
    {PANIC_LOCK_STUCK, "lock stuck",
     "look for the holder of the lock; the backtrace shows the code that waits"},
    {PANIC_UNDEFINED, "undefined behaviour", "correct the line that the cause names"},
    {PANIC_BAD_ACCESS, "bad access to the heap",
     "correct the access in the function of the accessed by line"},
    {PANIC_HEAP_GUARD, "heap guard hit",
     "correct the access in the first function of the backtrace; the lines below name the block's "
     "users"},
};

/* Return NULL for an unknown code. */
static const struct code_name *find(enum panic_code code)
{
    for (size_t i = 0; i < sizeof code_names / sizeof code_names[0]; i++) {
        if (code_names[i].code == code)
            return &code_names[i];
    }
    return NULL;
}

const char *panic_code_name(enum panic_code code)
{
    if (code >= PANIC_EXCEPTION_BASE)
        return arch_exception_name((unsigned)code - PANIC_EXCEPTION_BASE);
    const struct code_name *found = find(code);
    return found != NULL ? found->name : "unknown";
}

const char *panic_code_remedy(enum panic_code code)
{
    if (code >= PANIC_EXCEPTION_BASE)
        return arch_exception_remedy((unsigned)code - PANIC_EXCEPTION_BASE);
    const struct code_name *found = find(code);
    return found != NULL ? found->remedy : "report it";
}
