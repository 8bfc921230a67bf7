#include "kernel/arch/x86_64/exception.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/local_timer.h"
#include "kernel/core/guard.h"
#include "kernel/core/interrupts.h"
#include "kernel/mm/layout_place.h"
#include "kernel/core/panic.h"
#include "kernel/core/panic_report.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/text/format.h"

#define VECTOR_DOUBLE_FAULT       8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT         14

/* Page-fault error code, Intel SDM Vol. 3A, figure 4-12. */
#define FAULT_PRESENT  UINT64_C(1)
#define FAULT_WRITE    UINT64_C(2)
#define FAULT_RESERVED UINT64_C(8)
#define FAULT_FETCH    UINT64_C(16)

#define RFLAGS_INTERRUPTS (UINT64_C(1) << 9)

static const char *access_name(uint64_t error_code)
{
    if ((error_code & FAULT_FETCH) != 0)
        return "instruction fetch from";
    if ((error_code & FAULT_WRITE) != 0)
        return "write to";
    return "read of";
}

const char *arch_exception_name(unsigned vector)
{
    return exception_name(vector);
}

const char *arch_exception_remedy(unsigned vector)
{
    return fault_text_remedy(vector);
}

static const char *place_of(uint64_t address)
{
    struct page_table_features features;
    arch_page_features(&features);
    return layout_place(address, features.levels);
}

/* The names say what a person did wrong, not what the CPU noticed. */
static enum panic_code classify_page_fault(uint64_t address, uint64_t error_code, char *cause,
                                           size_t capacity_bytes)
{
    const char *access = access_name(error_code);
    const struct address_space_guard *guard = guard_find(virt_addr(address));

    if (guard != NULL && address >= PAGE_SIZE_BYTES) {
        format_text(cause, capacity_bytes, "%s 0x%llx: the guard page of the %s", access,
                    (unsigned long long)address, guard->name);
        return guard->is_stack ? PANIC_STACK_OVERFLOW : PANIC_GUARD_PAGE;
    }
    if (address < PAGE_SIZE_BYTES) {
        format_text(cause, capacity_bytes, "%s 0x%llx: a null pointer", access,
                    (unsigned long long)address);
        return PANIC_NULL_ACCESS;
    }
    if ((error_code & FAULT_RESERVED) != 0) {
        format_text(cause, capacity_bytes, "%s 0x%llx: a page-table entry has reserved bits set",
                    access, (unsigned long long)address);
        return PANIC_EXCEPTION_BASE + VECTOR_PAGE_FAULT;
    }
    if ((error_code & FAULT_PRESENT) == 0 &&
        guard_describe_block(virt_addr(address), access, cause, capacity_bytes))
        return PANIC_HEAP_GUARD;
    if ((error_code & FAULT_PRESENT) == 0) {
        format_text(cause, capacity_bytes, "%s 0x%llx: no page is mapped there, in %s", access,
                    (unsigned long long)address, place_of(address));
        return PANIC_EXCEPTION_BASE + VECTOR_PAGE_FAULT;
    }
    if ((error_code & FAULT_FETCH) != 0) {
        format_text(cause, capacity_bytes, "%s 0x%llx: the page is not executable", access,
                    (unsigned long long)address);
        return PANIC_EXECUTE_PROTECTION;
    }
    format_text(cause, capacity_bytes, "%s 0x%llx: the page is read-only", access,
                (unsigned long long)address);
    return PANIC_WRITE_PROTECTION;
}

static enum panic_code classify(const struct interrupt_frame *frame, char *cause,
                                size_t capacity_bytes)
{
    if (frame->vector >= EXCEPTION_COUNT) {
        format_text(cause, capacity_bytes, "interrupt vector %llu, which nobody asked for",
                    (unsigned long long)frame->vector);
        return PANIC_UNEXPECTED_INTERRUPT;
    }
    if (frame->vector == VECTOR_PAGE_FAULT)
        return classify_page_fault(cr2_read(), frame->error_code, cause, capacity_bytes);

    /* When the stack runs into its guard page the CPU cannot push the page fault's frame either:
     * what arrives is a double fault, with the guard page's address left in CR2. */
    const struct address_space_guard *guard = guard_find(virt_addr(cr2_read()));
    if (frame->vector == VECTOR_DOUBLE_FAULT && guard != NULL && guard->is_stack) {
        format_text(cause, capacity_bytes,
                    "the stack pointer 0x%llx ran into the guard page of the %s",
                    (unsigned long long)frame->rsp, guard->name);
        return PANIC_STACK_OVERFLOW;
    }
    format_text(cause, capacity_bytes, "CPU exception %llu, %s", (unsigned long long)frame->vector,
                exception_name((unsigned)frame->vector));
    return (enum panic_code)(PANIC_EXCEPTION_BASE + frame->vector);
}

static struct arch_registers registers_of(const struct interrupt_frame *frame)
{
    return (struct arch_registers){
        .rax = frame->rax,
        .rbx = frame->rbx,
        .rcx = frame->rcx,
        .rdx = frame->rdx,
        .rsi = frame->rsi,
        .rdi = frame->rdi,
        .rbp = frame->rbp,
        .rsp = frame->rsp,
        .r8 = frame->r8,
        .r9 = frame->r9,
        .r10 = frame->r10,
        .r11 = frame->r11,
        .r12 = frame->r12,
        .r13 = frame->r13,
        .r14 = frame->r14,
        .r15 = frame->r15,
        .rip = frame->rip,
        .rflags = frame->rflags,
    };
}

/* A general protection fault has no address of its own, but the register that held it still does.
 * NULL if every register could be an address. */
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

/* What the error code says; where it is silent, which register looks wrong. False if the exception
 * has no code. */
static bool describe(const struct interrupt_frame *frame, const struct arch_registers *registers,
                     char *text, size_t capacity_bytes)
{
    char code[FAULT_TEXT_CAPACITY_BYTES];
    uint64_t value;
    if (!fault_text_error_code((unsigned)frame->vector, frame->error_code, code, sizeof code))
        return false;
    const char *odd = frame->vector == VECTOR_GENERAL_PROTECTION && frame->error_code == 0
                          ? odd_register(registers, &value)
                          : NULL;
    if (odd != NULL)
        format_text(text, capacity_bytes, "error code %s; %s is not a canonical address: 0x%llx",
                    code, odd, (unsigned long long)value);
    else
        format_text(text, capacity_bytes, "error code %s", code);
    return true;
}

static _Noreturn void report(const struct interrupt_frame *frame)
{
    char cause[160];
    char detail[FAULT_TEXT_CAPACITY_BYTES + 80];
    struct panic_incident incident = {.cause = cause, .registers = registers_of(frame)};
    incident.code = classify(frame, cause, sizeof cause);
    if (describe(frame, &incident.registers, detail, sizeof detail))
        incident.detail = detail;
    panic_report(&incident);
}

void interrupt_handle(struct interrupt_frame *frame)
{
    if (frame->vector == LOCAL_TIMER_SPURIOUS_VECTOR)
        return;
    /* Without a handler nobody has found the timer yet, so that not even an answer could be given.
     */
    if (frame->vector != LOCAL_TIMER_VECTOR || !interrupts_are_handled(INTERRUPT_TIMER))
        report(frame);
    if (!interrupts_arrive(INTERRUPT_TIMER))
        frame->rflags &= ~RFLAGS_INTERRUPTS;
}
