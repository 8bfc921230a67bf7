#include "shared/arch/x86_64/fault_text.h"

#include "shared/address.h"
#include "shared/text/format.h"

#define VECTOR_DIVIDE             0
#define VECTOR_DEBUG              1
#define VECTOR_NMI                2
#define VECTOR_BREAKPOINT         3
#define VECTOR_UNDEFINED          6
#define VECTOR_DEVICE             7
#define VECTOR_DOUBLE_FAULT       8
#define VECTOR_TASK_STATE         10
#define VECTOR_SEGMENT            11
#define VECTOR_STACK              12
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT         14
#define VECTOR_MACHINE_CHECK      18
#define VECTOR_CONTROL_PROTECTION 21
#define VECTOR_VMM_COMMUNICATION  29
#define VECTOR_SECURITY           30

/* Page fault: SDM Vol. 3A, figure 4-12. */
#define PAGE_PRESENT      UINT64_C(0x1)
#define PAGE_WRITE        UINT64_C(0x2)
#define PAGE_USER         UINT64_C(0x4)
#define PAGE_RESERVED     UINT64_C(0x8)
#define PAGE_FETCH        UINT64_C(0x10)
#define PAGE_KEY          UINT64_C(0x20)
#define PAGE_SHADOW_STACK UINT64_C(0x40)
#define PAGE_KNOWN        UINT64_C(0x7f)

/* Selector: SDM Vol. 3A, figure 6-7. */
#define SELECTOR_EXTERNAL UINT64_C(0x1)
#define SELECTOR_IDT      UINT64_C(0x2)
#define SELECTOR_LDT      UINT64_C(0x4)
#define SELECTOR_MASK     UINT64_C(0xffff)

static const char *page_access(uint64_t code)
{
    if ((code & PAGE_FETCH) != 0)
        return "instruction fetch";
    return (code & PAGE_WRITE) != 0 ? "write" : "read";
}

static const char *page_obstacle(uint64_t code)
{
    if ((code & PAGE_PRESENT) == 0)
        return "no page is mapped there";
    if ((code & PAGE_RESERVED) != 0)
        return "a page-table entry on the way has reserved bits set";
    if ((code & PAGE_KEY) != 0)
        return "the page is there, but its protection key forbids it";
    if ((code & PAGE_FETCH) != 0)
        return "the page is there, but not executable";
    if ((code & PAGE_WRITE) != 0)
        return "the page is there, but not writable";
    return "the page is there, but not readable from this mode";
}

static void describe_page_fault(uint64_t code, char *text, size_t capacity_bytes)
{
    format_text(text, capacity_bytes, "0x%llx: %s in %s mode%s, %s%s", (unsigned long long)code,
                page_access(code), (code & PAGE_USER) != 0 ? "user" : "kernel",
                (code & PAGE_SHADOW_STACK) != 0 ? " to the shadow stack" : "", page_obstacle(code),
                (code & ~PAGE_KNOWN) != 0 ? "; other bits are set as well" : "");
}

static const char *table_name(uint64_t code)
{
    if ((code & SELECTOR_IDT) != 0)
        return "IDT";
    return (code & SELECTOR_LDT) != 0 ? "LDT" : "GDT";
}

static void describe_selector(uint64_t code, char *text, size_t capacity_bytes)
{
    const char *external =
        (code & SELECTOR_EXTERNAL) != 0 ? ", while an interrupt from outside was delivered" : "";
    if ((code & SELECTOR_MASK & ~SELECTOR_EXTERNAL) == 0)
        format_text(text, capacity_bytes, "0x%llx: no selector is to blame%s",
                    (unsigned long long)code, external);
    else
        format_text(text, capacity_bytes, "0x%llx: entry %llu of the %s%s",
                    (unsigned long long)code, (unsigned long long)((code & SELECTOR_MASK) >> 3),
                    table_name(code), external);
}

/* SDM Vol. 3A, 6.15, "Interrupt 21". */
static const char *control_protection_cause(uint64_t code)
{
    static const char *const causes[] = {
        "unknown",         "near RET",
        "far RET or IRET", "no ENDBRANCH at the target of an indirect branch",
        "RSTORSSP",        "SETSSBSY",
    };
    uint64_t cause = code & 0x7fff;
    return cause < sizeof causes / sizeof causes[0] ? causes[cause] : causes[0];
}

bool fault_text_error_code(unsigned vector, uint64_t error_code, char *text, size_t capacity_bytes)
{
    switch (vector) {
    case VECTOR_PAGE_FAULT:
        describe_page_fault(error_code, text, capacity_bytes);
        return true;
    case VECTOR_TASK_STATE:
    case VECTOR_SEGMENT:
    case VECTOR_STACK:
    case VECTOR_GENERAL_PROTECTION:
        describe_selector(error_code, text, capacity_bytes);
        return true;
    case VECTOR_CONTROL_PROTECTION:
        format_text(text, capacity_bytes, "0x%llx: %s", (unsigned long long)error_code,
                    control_protection_cause(error_code));
        return true;
    case VECTOR_VMM_COMMUNICATION:
    case VECTOR_SECURITY:
        format_text(text, capacity_bytes, "0x%llx", (unsigned long long)error_code);
        return true;
    default:
        return false;
    }
}

bool fault_address_is_canonical(uint64_t address, unsigned levels)
{
    uint64_t sign = address >> (levels == 5 ? 56 : 47);
    return sign == 0 || sign == UINT64_MAX >> (levels == 5 ? 56 : 47);
}

const char *fault_text_address(uint64_t address, unsigned levels)
{
    if (address < PAGE_SIZE_BYTES)
        return "in page 0: a null pointer";
    if (address >= 0 - PAGE_SIZE_BYTES)
        return "in the last page: a null pointer and a negative offset, or an error number";
    if (!fault_address_is_canonical(address, levels))
        return "not a canonical address";
    return NULL;
}

const char *fault_text_remedy(unsigned vector)
{
    switch (vector) {
    case VECTOR_DIVIDE:
        return "look for a division by 0, or a quotient that has no room, at rip";
    case VECTOR_DEBUG:
        return "look for a debug register or the trap flag that was left set";
    case VECTOR_NMI:
    case VECTOR_MACHINE_CHECK:
        return "look for a hardware error: test the memory, then the CPU's temperature";
    case VECTOR_BREAKPOINT:
        return "remove the breakpoint before rip";
    case VECTOR_UNDEFINED:
        return "look at the code at rip: unreachable code (ud2), an instruction that this CPU does "
               "not have, or a jump to what is no code";
    case VECTOR_DEVICE:
        return "compile the code at rip without x87 and SSE (-mgeneral-regs-only), or switch them "
               "on";
    case VECTOR_DOUBLE_FAULT:
        return "look for a stack overflow first, then for a broken IDT";
    case VECTOR_TASK_STATE:
    case VECTOR_SEGMENT:
        return "look at the descriptor that the error code names";
    case VECTOR_STACK:
    case VECTOR_GENERAL_PROTECTION:
        return "look for an address in the registers that is not canonical, or for a wrong value "
               "for "
               "a selector, a control register or an MSR at rip";
    case VECTOR_PAGE_FAULT:
        return "look for a bad pointer at rip; cr2 is the address that was used";
    default:
        return "look at the code at rip";
    }
}
