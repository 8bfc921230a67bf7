/*
 * fault.h - a decoded exception of the CPU, and its panic.
 *
 * The files of a CPU (kernel/arch/) fill a struct fault from their registers and codes. The cause
 * of a fault (a null pointer, a stack overflow, a use after free) is the same on every CPU, so this
 * file finds it.
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
    /* For FAULT_PAGE, the address of the access. For FAULT_UNDELIVERED, the address of the last
     * page fault.
     */
    struct virt_addr address;

    struct virt_addr stack_pointer;
    const char *detail; /* the error code in words, "error code 0x2: …"; NULL: no code */
    const struct arch_registers *registers;
};

/* Call `observer(fault)` before each panic of a fault; NULL: no more. It may leave the interrupted code
 * for ever instead of returning. */
void fault_set_observer(void (*observer)(const struct fault *fault));

/* Panic. Code and cause name the programmer's mistake, not the symptom that the CPU reports. */
_Noreturn void fault_report(const struct fault *fault);

#endif
