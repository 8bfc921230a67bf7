#include "kernel/core/fault.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/guard.h"
#include "kernel/core/panic_report.h"
#include "kernel/mm/layout_place.h"
#include "shared/text/format.h"

struct cause {
    char text[160];
};

static const char *access_name(enum page_fault_access access)
{
    switch (access) {
    case PAGE_FAULT_FETCH:
        return "instruction fetch from";
    case PAGE_FAULT_WRITE:
        return "write to";
    case PAGE_FAULT_READ:
        break;
    }
    return "read of";
}

static enum panic_code exception_code(const struct fault *fault)
{
    return (enum panic_code)(PANIC_EXCEPTION_BASE + fault->number);
}

/* "write to 0x10: a null pointer"; `owner` ends the clause, or is "". */
static void describe_access(const struct fault *fault, const char *clause, const char *owner,
                            struct cause *cause)
{
    format_text(cause->text, sizeof cause->text, "%s 0x%llx: %s%s", access_name(fault->page.access),
                (unsigned long long)fault->address.value, clause, owner);
}

static const char *place_of(struct virt_addr address)
{
    struct page_table_features features;
    arch_page_features(&features);
    return layout_place(address, features.levels);
}

/* No page is mapped at the address. It may be beside a guarded block. */
static enum panic_code classify_absent_page(const struct fault *fault, struct cause *cause)
{
    if (guard_describe_block(fault->address, access_name(fault->page.access), cause->text,
                             sizeof cause->text))
        return PANIC_HEAP_GUARD;
    describe_access(fault, "no page is mapped there, in ", place_of(fault->address), cause);
    return exception_code(fault);
}

static enum panic_code classify_obstacle(const struct fault *fault, struct cause *cause)
{
    switch (fault->page.obstacle) {
    case PAGE_FAULT_NOT_MAPPED:
        return classify_absent_page(fault, cause);
    case PAGE_FAULT_BAD_ENTRY:
        describe_access(fault, "a page-table entry has reserved bits set", "", cause);
        return exception_code(fault);
    case PAGE_FAULT_NOT_EXECUTABLE:
        describe_access(fault, "the page is not executable", "", cause);
        return PANIC_EXECUTE_PROTECTION;
    case PAGE_FAULT_KEY:
    case PAGE_FAULT_NOT_WRITABLE:
    case PAGE_FAULT_NOT_READABLE:
        break;
    }
    describe_access(fault, "the page is read-only", "", cause);
    return PANIC_WRITE_PROTECTION;
}

static enum panic_code classify_page_fault(const struct fault *fault, struct cause *cause)
{
    const struct address_space_guard *guard = guard_find(fault->address);
    if (fault->address.value < PAGE_SIZE_BYTES) {
        describe_access(fault, "a null pointer", "", cause);
        return PANIC_NULL_ACCESS;
    }
    if (guard != NULL) {
        describe_access(fault, "the guard page of the ", guard->name, cause);
        return guard->is_stack ? PANIC_STACK_OVERFLOW : PANIC_GUARD_PAGE;
    }
    return classify_obstacle(fault, cause);
}

static enum panic_code classify_exception(const struct fault *fault, struct cause *cause)
{
    format_text(cause->text, sizeof cause->text, "CPU exception %u, %s", fault->number,
                arch_exception_name(fault->number));
    return exception_code(fault);
}

/* If a stack runs into its guard page, the CPU cannot push the frame for the handler of the page
 * fault either. */
static enum panic_code classify_undelivered(const struct fault *fault, struct cause *cause)
{
    const struct address_space_guard *guard = guard_find(fault->address);
    if (guard == NULL || !guard->is_stack)
        return classify_exception(fault, cause);
    format_text(cause->text, sizeof cause->text,
                "the stack pointer 0x%llx ran into the guard page of the %s",
                (unsigned long long)fault->stack_pointer.value, guard->name);
    return PANIC_STACK_OVERFLOW;
}

static enum panic_code classify(const struct fault *fault, struct cause *cause)
{
    switch (fault->kind) {
    case FAULT_PAGE:
        return classify_page_fault(fault, cause);
    case FAULT_UNDELIVERED:
        return classify_undelivered(fault, cause);
    case FAULT_INTERRUPT:
        format_text(cause->text, sizeof cause->text, "interrupt vector %u has no handler",
                    fault->number);
        return PANIC_UNEXPECTED_INTERRUPT;
    case FAULT_EXCEPTION:
        break;
    }
    return classify_exception(fault, cause);
}

static void (*observe)(const struct fault *fault);

void fault_set_observer(void (*observer)(const struct fault *fault))
{
    observe = observer;
}

_Noreturn void fault_report(const struct fault *fault)
{
    if (observe != NULL)
        observe(fault);
    struct cause cause;
    enum panic_code code = classify(fault, &cause);
    panic_report(&(struct panic_incident){
        .code = code,
        .cause = cause.text,
        .detail = fault->detail,
        .registers = fault->registers,
    });
}
