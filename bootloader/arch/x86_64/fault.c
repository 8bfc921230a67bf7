#include "bootloader/arch/x86_64/fault.h"

#include "bootloader/arch/x86_64/cpu.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "shared/address.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"

#define VECTOR_COUNT 256

#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_PAGE_FAULT    14
#define VECTOR_MACHINE_CHECK 18

/* Room for the report, whose largest frame holds one line of text. */
#define FAULT_STACK_SIZE_BYTES 4096
#define FAULT_STACK_COUNT      4

/* Intel SDM Vol. 3A, 6.14.1: 64-bit interrupt gate. */
struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack_index;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "Intel SDM Vol. 3A, figure 6-8");

#define GATE_PRESENT_INTERRUPT 0x8e

/* Intel SDM Vol. 3A, 7.7. Packed: the 64-bit fields lie at odd multiples of four. */
struct __attribute__((packed)) task_state {
    uint32_t reserved_0;
    uint64_t privileged_stacks[3];
    uint64_t reserved_1;
    uint64_t interrupt_stacks[7];
    uint64_t reserved_2;
    uint16_t reserved_3;
    uint16_t io_map_offset;
};
_Static_assert(sizeof(struct task_state) == 104, "Intel SDM Vol. 3A, figure 7-11");

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};
_Static_assert(sizeof(struct table_register) == 10, "Intel SDM Vol. 3A, figure 2-6");

/* What fault_entry.S pushes, lowest address first. */
struct fault_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The CPU reaches these by address, so they cannot be passed as arguments: the loader's one and
 * only instance of each. */
static struct gate gates[VECTOR_COUNT];
static struct task_state task_state;
/* enter.S uses the first one, too. */
extern uint8_t fault_stacks[FAULT_STACK_COUNT][FAULT_STACK_SIZE_BYTES];
_Alignas(16) uint8_t fault_stacks[FAULT_STACK_COUNT][FAULT_STACK_SIZE_BYTES];
static struct post_exit *fault_output;
static bool fault_is_reporting;

/* fault_entry.S: the tables that a report runs on; 0 for those that are live. */
extern uint64_t fault_page_table_root;
uint64_t fault_page_table_root;

/* Present, accessed (so that the CPU never writes here), 64-bit. */
static uint64_t segments[] = {
    0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff),
    0, /* TSS, filled by fault_install() */
    0,
};

/* fault_entry.S: one stub for each exception, then one for all other vectors. */
extern const uint8_t fault_stubs[];
#define FAULT_STUB_SIZE_BYTES 9

/* fault_entry.S. Loads the registers and reloads every segment. */
void fault_load_tables(const struct table_register *gdt, const struct table_register *idt);

static uint8_t fault_stack_index(unsigned vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return 2;
    case VECTOR_NMI:
        return 3;
    case VECTOR_MACHINE_CHECK:
        return 4;
    default:
        return 1;
    }
}

static void gate_set(unsigned vector, uint64_t displacement)
{
    unsigned stub = vector < EXCEPTION_COUNT ? vector : EXCEPTION_COUNT;
    uint64_t address = (uint64_t)fault_stubs + stub * FAULT_STUB_SIZE_BYTES + displacement;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)address,
        .selector = FAULT_CODE_SELECTOR,
        .stack_index = fault_stack_index(vector),
        .type = GATE_PRESENT_INTERRUPT,
        .offset_middle = (uint16_t)(address >> 16),
        .offset_high = (uint32_t)(address >> 32),
    };
}

static void task_state_set(uint64_t displacement)
{
    uint64_t base = (uint64_t)&task_state + displacement;
    uint64_t limit = sizeof(task_state) - 1;

    for (unsigned i = 0; i < FAULT_STACK_COUNT; i++)
        task_state.interrupt_stacks[i] =
            (uint64_t)fault_stacks[i] + FAULT_STACK_SIZE_BYTES + displacement;
    task_state.io_map_offset = sizeof(task_state); /* no I/O permission map */

    /* Intel SDM Vol. 3A, 7.2.3: available 64-bit TSS, present; 16 bytes. */
    segments[FAULT_TSS_SELECTOR / 8] =
        limit | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    segments[FAULT_TSS_SELECTOR / 8 + 1] = base >> 32;
}

static void load_at(uint64_t displacement)
{
    struct table_register gdt = {sizeof(segments) - 1, (uint64_t)segments + displacement};
    struct table_register idt = {sizeof(gates) - 1, (uint64_t)gates + displacement};

    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gate_set(vector, displacement);
    task_state_set(displacement);
    fault_load_tables(&gdt, &idt);
}

void fault_install(struct post_exit *post_exit)
{
    fault_output = post_exit;
    load_at(0);
}

void fault_move_up(uint64_t displacement, uint64_t page_table_root)
{
    load_at(displacement);
    fault_page_table_root = page_table_root;
}

static void fault_print_registers(const struct fault_frame *frame, uint64_t cr3)
{
    post_exit_print(fault_output,
                    "  rip %016llx  cs %04llx  rflags %08llx\n"
                    "  rsp %016llx  cr2 %016llx  cr3 %016llx\n",
                    frame->rip, frame->cs, frame->rflags, frame->rsp, cpu_read_cr2(), cr3);
    post_exit_print(fault_output,
                    "  rax %016llx  rbx %016llx  rcx %016llx\n"
                    "  rdx %016llx  rsi %016llx  rdi %016llx\n"
                    "  rbp %016llx  r8  %016llx  r9  %016llx\n",
                    frame->rax, frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi,
                    frame->rbp, frame->r8, frame->r9);
    post_exit_print(fault_output,
                    "  r10 %016llx  r11 %016llx  r12 %016llx\n"
                    "  r13 %016llx  r14 %016llx  r15 %016llx\n",
                    frame->r10, frame->r11, frame->r12, frame->r13, frame->r14, frame->r15);
}

/* Only these two leave in CR2 the address that was used. */
static bool has_address(const struct fault_frame *frame)
{
    return frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT;
}

/* Says what kind of address CR2 holds, or returns NULL. An address that is not canonical with five
 * levels of page tables is not canonical with four either. */
static const char *address_text(const struct fault_frame *frame)
{
    uint64_t address = cpu_read_cr2();
    if (!has_address(frame))
        return NULL;
    if (BOOTSTRAP_STACK_VIRTUAL_BASE - address <= PAGE_SIZE_BYTES)
        return "in the page below the kernel's first stack: it overflowed";
    return frame->vector == VECTOR_PAGE_FAULT ? fault_text_address(address, 5) : NULL;
}

static void fault_print_meaning(const struct fault_frame *frame)
{
    char code[FAULT_TEXT_CAPACITY_BYTES];
    const char *address = address_text(frame);
    if (fault_text_error_code((unsigned)frame->vector, frame->error_code, code, sizeof(code)))
        post_exit_print(fault_output, "  code:   %s\n", code);
    if (address != NULL)
        post_exit_print(fault_output, "  cr2:    %s\n", address);
    post_exit_print(fault_output,
                    "  remedy: %s.\n"
                    "          addr2line -e KERNEL.elf 0x%llx names the line, if it has debug "
                    "information.\n",
                    fault_text_remedy((unsigned)frame->vector), frame->rip);
}

/* Called by fault_entry.S for every vector, with the CR3 of the time of the fault. A fault while a
 * report is being printed ends at once: the first report is the one that matters. */
_Noreturn void fault_report(const struct fault_frame *frame, uint64_t cr3);
_Noreturn void fault_report(const struct fault_frame *frame, uint64_t cr3)
{
    if (fault_is_reporting)
        post_exit_stop(fault_output, DEBUG_EXIT_LOADER_FAULT);
    fault_is_reporting = true;

    const char *name = frame->vector < EXCEPTION_COUNT ? exception_name((unsigned)frame->vector)
                                                       : "unexpected interrupt, vector 32-255";
    post_exit_print(fault_output, "\n[loader] fault: %s, before the kernel's handlers\n", name);
    fault_print_meaning(frame);
    fault_print_registers(frame, cr3);
    post_exit_stop(fault_output, DEBUG_EXIT_LOADER_FAULT);
}

_Noreturn void fault_kernel_returned(void)
{
    post_exit_print(fault_output, "\n[loader] kernel entry returned\n"
                                  "  remedy: end the entry with a loop around hlt; it has no "
                                  "caller to return to.\n");
    post_exit_stop(fault_output, DEBUG_EXIT_KERNEL_RETURNED);
}
