#include "bootloader/arch/x86_64/fault.h"

#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

/* An address that is not canonical with five levels of page tables is not canonical with four. */
#define LEVEL_LIMIT 5

/* Vectors for which the CPU pushes an error code: 8, 10 to 14, 17, 21, 29, 30 (Intel SDM Vol. 3A,
 * table 6-1; AMD APM Vol. 2, 8.2). */
#define VECTORS_WITH_CODE UINT32_C(0x60227d00)

struct arch_registers {
    const struct fault_frame *frame;
    const struct interrupted *interrupted;
    uint64_t cr2;
    uint64_t cr3;
};

/* The CPU enters the handlers without an argument, so these are global. The loader has one instance
 * of each. */
static struct arch_fault_sink fault_sink;

/* fault_entry.S and enter.S use it: the tables that a report runs on; 0 for the live tables. */
extern uint64_t fault_page_table_root;
uint64_t fault_page_table_root;

void fault_set_sink(const struct arch_fault_sink *sink)
{
    fault_sink = *sink;
}

void fault_set_page_tables(uint64_t root)
{
    fault_page_table_root = root;
}

/* The general registers in the order of the report: the name, and the number of the word in the
 * frame. */
static const struct {
    char name[4];
    unsigned char word;
} general[] = {
    {"rax", 14}, {"rbx", 13}, {"rcx", 12}, {"rdx", 11}, {"rsi", 10},
    {"rdi", 9},  {"rbp", 8},  {"r8", 7},   {"r9", 6},   {"r10", 5},
    {"r11", 4},  {"r12", 3},  {"r13", 2},  {"r14", 1},  {"r15", 0},
};
_Static_assert(offsetof(struct fault_frame, rax) == 14 * 8, "rax is word 14");
_Static_assert(offsetof(struct fault_frame, rbp) == 8 * 8, "rbp is word 8");

void arch_format_registers(const struct arch_registers *registers, char *text,
                           size_t capacity_bytes)
{
    const struct interrupted *interrupted = registers->interrupted;
    size_t used = (size_t)format_packed(text, capacity_bytes,
                                        "  rip %016llx  cs %04llx  rflags %08llx\n"
                                        "  rsp %016llx  cr2 %016llx  cr3 %016llx\n",
                                        interrupted->rip, interrupted->cs, interrupted->rflags,
                                        interrupted->rsp, registers->cr2, registers->cr3);
    for (unsigned i = 0; i < sizeof(general) / sizeof(general[0]) && used < capacity_bytes; i++)
        used += (size_t)format_text(
            text + used, capacity_bytes - used, "  %-3s %016llx%s", general[i].name,
            ((const uint64_t *)registers->frame)[general[i].word], i % 3 == 2 ? "\n" : "");
}

static bool has_code(const struct fault_frame *frame)
{
    return frame->vector < EXCEPTION_COUNT && (VECTORS_WITH_CODE >> frame->vector & 1) != 0;
}

static void decode_code(const struct fault_frame *frame, struct arch_fault *fault)
{
    uint64_t code = has_code(frame) ? frame->pushed[0] : 0;
    fault->is_page_fault = frame->vector == EXCEPTION_PAGE_FAULT;
    if (fault->is_page_fault)
        fault->page_fault = fault_text_page_fault(code);
    else
        (void)fault_text_error_code((unsigned)frame->vector, code, fault->code,
                                    sizeof(fault->code));
}

/* Only these two leave the address that was used in CR2. */
static bool has_address(const struct fault_frame *frame)
{
    return frame->vector == EXCEPTION_PAGE_FAULT || frame->vector == EXCEPTION_DOUBLE_FAULT;
}

/* A push lands just below the stack pointer, and a variable not far above. */
static bool is_beside_stack(const struct arch_registers *registers)
{
    const uint64_t reach_bytes = UINT64_C(16) << 10;
    return registers->cr2 - (registers->interrupted->rsp - reach_bytes) < 2 * reach_bytes;
}

_Noreturn void fault_handle(const struct fault_frame *frame, uint64_t cr3)
{
    const struct interrupted *interrupted =
        (const struct interrupted *)&frame->pushed[has_code(frame) ? 1 : 0];
    const struct arch_registers registers = {frame, interrupted, cr2_read(), cr3};
    struct arch_fault fault = {
        .name = frame->vector < EXCEPTION_COUNT ? exception_name((unsigned)frame->vector)
                                                : PACKED("unexpected interrupt, vector 32-255"),
        .remedy = fault_text_remedy((unsigned)frame->vector),
        .instruction = virt_addr(interrupted->rip),
        .address_name = has_address(frame) ? "cr2" : NULL,
        .address = virt_addr(registers.cr2),
        .address_is_canonical = fault_address_is_canonical(registers.cr2, LEVEL_LIMIT),
        .is_beside_stack = has_address(frame) && is_beside_stack(&registers),
        .registers = &registers,
    };
    decode_code(frame, &fault);
    fault_sink.fault(fault_sink.context, &fault);
    halt_forever();
}

_Noreturn void fault_kernel_returned(void)
{
    fault_sink.kernel_returned(fault_sink.context);
    halt_forever();
}
