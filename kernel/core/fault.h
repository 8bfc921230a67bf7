/*
 * fault.h - an exception of the CPU, decoded, and its panic.
 *
 * The files of a CPU (kernel/arch/) fill a struct fault from their registers and codes. The mistake
 * behind a fault (a null pointer, a stack overflow, a use after free) is the same on every CPU, and
 * is found here.
 */
#ifndef KERNEL_CORE_FAULT_H
#define KERNEL_CORE_FAULT_H

#include "shared/address.h"
#include "shared/page_fault.h"

struct arch_registers;

enum fault_kind {
    FAULT_PAGE,        /* an access that the page tables do not allow */
    FAULT_UNDELIVERED, /* a fault whose handler the CPU could not enter: its stack is broken */
    FAULT_EXCEPTION,   /* any other exception */
    FAULT_INTERRUPT,   /* an interrupt that has no handler */
};

struct fault {
    enum fault_kind kind;
    unsigned number; /* the CPU's: of the exception or of the interrupt */

    struct page_fault page; /* of FAULT_PAGE */
    /* Of FAULT_PAGE, what was accessed; of FAULT_UNDELIVERED, what the last page fault was about.
     */
    struct virt_addr address;

    struct virt_addr stack_pointer;
    const char *detail; /* the error code in words, "error code 0x2: …"; NULL: no code */
    const struct arch_registers *registers;
};

/* Panic. Code and cause name the mistake of a person, not the symptom that the CPU saw. */
_Noreturn void fault_report(const struct fault *fault);

#endif
