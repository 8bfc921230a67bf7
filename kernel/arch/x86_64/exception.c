#include "kernel/arch/x86_64/exception.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/local_timer.h"
#include "kernel/core/fault.h"
#include "kernel/core/interrupts.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/text/format.h"

#define VECTOR_DOUBLE_FAULT       8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT         14

#define RFLAGS_INTERRUPTS (UINT64_C(1) << 9)

/* --- What the error code says, in words ------------------------------------------------------- */

/* The CPU reports no address for a general protection fault, but a register still holds it. Return
 * NULL if every register holds a possible address. */
static const char *odd_register(const struct arch_registers *registers, uint64_t *ret_value)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"rip", registers->rip}, {"rsp", registers->rsp}, {"rbp", registers->rbp},
        {"rax", registers->rax}, {"rbx", registers->rbx}, {"rcx", registers->rcx},
        {"rdx", registers->rdx}, {"rsi", registers->rsi}, {"rdi", registers->rdi},
        {"r8", registers->r8},   {"r9", registers->r9},   {"r10", registers->r10},
        {"r11", registers->r11}, {"r12", registers->r12}, {"r13", registers->r13},
        {"r14", registers->r14}, {"r15", registers->r15},
    };
    struct page_table_features features;
    arch_page_features(&features);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *ret_value = all[i].value;
        if (!fault_address_is_canonical(all[i].value, features.levels))
            return all[i].name;
    }
    return NULL;
}

/* Write the error code, and, if it is 0, the register that holds an impossible address. Return
 * false if the exception has no code. */
static bool describe_error_code(const struct arch_registers *registers, char *text,
                                size_t capacity_bytes)
{
    char code[FAULT_TEXT_CAPACITY_BYTES];
    uint64_t value;
    if (!fault_text_error_code((unsigned)registers->vector, registers->error_code, code,
                               sizeof code))
        return false;
    const char *odd = registers->vector == VECTOR_GENERAL_PROTECTION && registers->error_code == 0
                          ? odd_register(registers, &value)
                          : NULL;
    if (odd != NULL)
        format_text(text, capacity_bytes, "error code %s; %s is not a canonical address: 0x%llx",
                    code, odd, (unsigned long long)value);
    else
        format_text(text, capacity_bytes, "error code %s", code);
    return true;
}

/* --- Decoding --------------------------------------------------------------------------------- */

static enum fault_kind kind_of(uint64_t vector)
{
    if (vector >= EXCEPTION_COUNT)
        return FAULT_INTERRUPT;
    if (vector == VECTOR_PAGE_FAULT)
        return FAULT_PAGE;
    return vector == VECTOR_DOUBLE_FAULT ? FAULT_UNDELIVERED : FAULT_EXCEPTION;
}

/* CR2 still has the address of a page fault that became a double fault. */
static struct fault decode(const struct arch_registers *registers)
{
    return (struct fault){
        .kind = kind_of(registers->vector),
        .number = (unsigned)registers->vector,
        .page = fault_text_page_fault(registers->error_code),
        .address = virt_addr(cr2_read()),
        .stack_pointer = virt_addr(registers->rsp),
        .registers = registers,
    };
}

static _Noreturn void report(const struct arch_registers *registers)
{
    char detail[FAULT_TEXT_CAPACITY_BYTES + 80];
    struct fault fault = decode(registers);
    if (describe_error_code(registers, detail, sizeof detail))
        fault.detail = detail;
    fault_report(&fault);
}

void interrupt_handle(struct arch_registers *registers)
{
    if (registers->vector == LOCAL_TIMER_SPURIOUS_VECTOR)
        return;
    /* Without a handler, the timer is not attached yet, so the interrupt cannot be acknowledged. */
    if (registers->vector != LOCAL_TIMER_VECTOR || !interrupts_are_handled(INTERRUPT_TIMER))
        report(registers);
    if (!interrupts_arrive(INTERRUPT_TIMER))
        registers->rflags &= ~RFLAGS_INTERRUPTS;
}
