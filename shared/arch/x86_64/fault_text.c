#include "shared/arch/x86_64/fault_text.h"

#include "shared/arch/x86_64/exception_names.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

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

static enum page_fault_access page_access(uint64_t code)
{
    if ((code & PAGE_FETCH) != 0)
        return PAGE_FAULT_FETCH;
    return (code & PAGE_WRITE) != 0 ? PAGE_FAULT_WRITE : PAGE_FAULT_READ;
}

static enum page_fault_obstacle page_obstacle(uint64_t code)
{
    if ((code & PAGE_PRESENT) == 0)
        return PAGE_FAULT_NOT_MAPPED;
    if ((code & PAGE_RESERVED) != 0)
        return PAGE_FAULT_BAD_ENTRY;
    if ((code & PAGE_KEY) != 0)
        return PAGE_FAULT_KEY;
    if ((code & PAGE_FETCH) != 0)
        return PAGE_FAULT_NOT_EXECUTABLE;
    return (code & PAGE_WRITE) != 0 ? PAGE_FAULT_NOT_WRITABLE : PAGE_FAULT_NOT_READABLE;
}

struct page_fault fault_text_page_fault(uint64_t error_code)
{
    return (struct page_fault){
        .code = error_code,
        .access = page_access(error_code),
        .obstacle = page_obstacle(error_code),
        .is_from_user = (error_code & PAGE_USER) != 0,
        .is_to_shadow_stack = (error_code & PAGE_SHADOW_STACK) != 0,
        .has_other_bits = (error_code & ~PAGE_KNOWN) != 0,
    };
}

static void describe_page_fault(uint64_t code, char *text, size_t capacity_bytes)
{
    struct page_fault fault = fault_text_page_fault(code);
    page_fault_describe(&fault, text, capacity_bytes);
}

static const char *table_name(uint64_t code)
{
    if ((code & SELECTOR_IDT) != 0)
        return "IDT";
    return (code & SELECTOR_LDT) != 0 ? "LDT" : "GDT";
}

static void describe_selector(uint64_t code, char *text, size_t capacity_bytes)
{
    const char *external = (code & SELECTOR_EXTERNAL) != 0
                               ? PACKED(", while an interrupt from outside was delivered")
                               : "";
    if ((code & SELECTOR_MASK & ~SELECTOR_EXTERNAL) == 0)
        format_packed(text, capacity_bytes, "0x%llx: no selector is the cause%s",
                      (unsigned long long)code, external);
    else
        format_packed(text, capacity_bytes, "0x%llx: entry %llu of the %s%s",
                      (unsigned long long)code, (unsigned long long)((code & SELECTOR_MASK) >> 3),
                      table_name(code), external);
}

/* SDM Vol. 3A, 6.15, "Interrupt 21". */
static const char *control_protection_cause(uint64_t code)
{
    static const char causes[][52] PACKED_SECTION = {
        "unknown",         "near RET",
        "far RET or IRET", "no ENDBRANCH at the target of an indirect branch",
        "RSTORSSP",        "SETSSBSY",
    };
    uint64_t cause = code & 0x7fff;
    bool is_known = cause < sizeof causes / sizeof causes[0];
    return packed_text_read(causes[is_known ? cause : 0]);
}

bool fault_text_error_code(unsigned vector, uint64_t error_code, char *text, size_t capacity_bytes)
{
    switch (vector) {
    case EXCEPTION_PAGE_FAULT:
        describe_page_fault(error_code, text, capacity_bytes);
        return true;
    case EXCEPTION_TASK_STATE:
    case EXCEPTION_SEGMENT:
    case EXCEPTION_STACK:
    case EXCEPTION_GENERAL_PROTECTION:
        describe_selector(error_code, text, capacity_bytes);
        return true;
    case EXCEPTION_CONTROL_PROTECTION:
        format_text(text, capacity_bytes, "0x%llx: %s", (unsigned long long)error_code,
                    control_protection_cause(error_code));
        return true;
    case EXCEPTION_VMM_COMMUNICATION:
    case EXCEPTION_SECURITY:
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

const char *fault_text_remedy(unsigned vector)
{
    switch (vector) {
    case EXCEPTION_DIVIDE:
        return PACKED("look for a division by 0, or a quotient that is too large, at rip");
    case EXCEPTION_DEBUG:
        return PACKED("look for a debug register or the trap flag that was left set");
    case EXCEPTION_NMI:
    case EXCEPTION_MACHINE_CHECK:
        return PACKED("look for a hardware error: test the memory, then the CPU's temperature");
    case EXCEPTION_BREAKPOINT:
        return PACKED("remove the breakpoint before rip");
    case EXCEPTION_UNDEFINED:
        return PACKED(
            "look at the code at rip: unreachable code (ud2), an instruction that this CPU does "
            "not have, or a jump to data");
    case EXCEPTION_DEVICE:
        return PACKED(
            "compile the code at rip without x87 and SSE (-mgeneral-regs-only), or switch them "
            "on");
    case EXCEPTION_DOUBLE_FAULT:
        return PACKED("look for a stack overflow first, then for a broken IDT");
    case EXCEPTION_TASK_STATE:
    case EXCEPTION_SEGMENT:
        return PACKED("look at the descriptor that the error code names");
    case EXCEPTION_STACK:
    case EXCEPTION_GENERAL_PROTECTION:
        return PACKED(
            "look for an address in the registers that is not canonical, or for a wrong value "
            "for "
            "a selector, a control register or an MSR at rip");
    case EXCEPTION_PAGE_FAULT:
        return PACKED("look for a bad pointer at rip; cr2 is the address that was used");
    default:
        return PACKED("look at the code at rip");
    }
}
