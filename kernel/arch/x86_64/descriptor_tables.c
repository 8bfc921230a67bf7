#include "kernel/arch/x86_64/descriptor_tables.h"

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch.h"
#include "kernel/core/cpu.h"

#define VECTOR_COUNT         256
#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_MACHINE_CHECK 18

/* A handler that prints a whole panic needs about 2 KiB. The processor that boots uses these stacks
 * in the image until guarded ones are mapped. */
#define EARLY_STACK_SIZE_BYTES 8192

/* The numbers of these stacks in the gates. */
enum interrupt_stack {
    STACK_CURRENT = 0,
    STACK_DOUBLE_FAULT,
    STACK_NMI,
    STACK_MACHINE_CHECK,
    STACK_END,
};
#define STACK_COUNT (STACK_END - STACK_DOUBLE_FAULT)
_Static_assert(STACK_COUNT <= CPU_INTERRUPT_STACK_LIMIT, "struct cpu has room for them");

/* Intel SDM Vol. 3A, figure 7-11 "64-Bit TSS Format". */
struct __attribute__((packed)) task_state {
    uint32_t reserved_0;
    uint64_t privilege_stack[3];
    uint64_t reserved_1;
    uint64_t interrupt_stack[7]; /* IST 1…7 */
    uint64_t reserved_2;
    uint16_t reserved_3;
    uint16_t io_map_base;
};
_Static_assert(sizeof(struct task_state) == 104, "Intel SDM Vol. 3A, 7.7");
_Static_assert(offsetof(struct task_state, interrupt_stack) == 36, "Intel SDM Vol. 3A, 7.7");

/* Intel SDM Vol. 3A, figure 6-8 "64-Bit IDT Gate Descriptors". */
struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t interrupt_stack;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "Intel SDM Vol. 3A, 6.14.1");

/* The operand of LGDT and LIDT. */
struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

#define SEGMENT_CODE_64                   UINT64_C(0x00af9b000000ffff) /* present, ring 0, execute/read, long */
#define SEGMENT_DATA                      UINT64_C(0x00cf93000000ffff) /* present, ring 0, read/write */
#define SEGMENT_TYPE_AVAILABLE_TASK_STATE UINT64_C(0x89)
#define GATE_TYPE_INTERRUPT               0x8e /* present, ring 0, interrupts off in the handler */

/* A selector is its descriptor's offset; the TSS descriptor takes two entries. */
struct arch_cpu {
    uint64_t descriptors[5];
    struct task_state task_state;
};

static struct arch_cpu boot_cpu;
static _Alignas(16) uint8_t boot_stacks[STACK_COUNT][EARLY_STACK_SIZE_BYTES];
/* The same for all processors. */
static struct gate gates[VECTOR_COUNT];

/* In interrupt_entry.S: one 16-byte piece of code per vector. */
extern const char interrupt_entries[];
void descriptor_tables_activate(const struct table_register *gdt, const struct table_register *idt);

struct arch_cpu *arch_boot_cpu(void)
{
    return &boot_cpu;
}

static void fill_descriptors(struct arch_cpu *cpu)
{
    uint64_t base = (uint64_t)&cpu->task_state;
    uint64_t limit = sizeof cpu->task_state - 1;
    cpu->descriptors[SELECTOR_KERNEL_CODE / 8] = SEGMENT_CODE_64;
    cpu->descriptors[SELECTOR_KERNEL_DATA / 8] = SEGMENT_DATA;
    cpu->descriptors[SELECTOR_TASK_STATE / 8] = limit | (base & 0xffffff) << 16 |
                                                SEGMENT_TYPE_AVAILABLE_TASK_STATE << 40 |
                                                (base >> 24 & 0xff) << 56;
    cpu->descriptors[SELECTOR_TASK_STATE / 8 + 1] = base >> 32;
}

static enum interrupt_stack stack_for_vector(unsigned vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return STACK_DOUBLE_FAULT;
    case VECTOR_NMI:
        return STACK_NMI;
    case VECTOR_MACHINE_CHECK:
        return STACK_MACHINE_CHECK;
    default:
        return STACK_CURRENT;
    }
}

static void fill_gates(void)
{
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++) {
        uint64_t entry = (uint64_t)interrupt_entries + UINT64_C(16) * vector;
        gates[vector] = (struct gate){
            .offset_low = (uint16_t)entry,
            .selector = SELECTOR_KERNEL_CODE,
            .interrupt_stack = (uint8_t)stack_for_vector(vector),
            .type = GATE_TYPE_INTERRUPT,
            .offset_middle = (uint16_t)(entry >> 16),
            .offset_high = (uint32_t)(entry >> 32),
        };
    }
}

const char *arch_interrupt_stack_name(unsigned index)
{
    static const char *const names[STACK_COUNT] = {"double-fault stack", "NMI stack",
                                                   "machine-check stack"};
    return index < STACK_COUNT ? names[index] : NULL;
}

void arch_use_interrupt_stacks(struct arch_cpu *cpu, const struct virt_addr *tops)
{
    for (unsigned i = 0; i < STACK_COUNT; i++)
        cpu->task_state.interrupt_stack[STACK_DOUBLE_FAULT - 1 + i] = tops[i].value;
}

/* Used until guarded stacks are mapped. */
static void use_boot_stacks(struct arch_cpu *cpu)
{
    struct virt_addr tops[STACK_COUNT];
    for (unsigned i = 0; i < STACK_COUNT; i++)
        tops[i] = virt_addr((uint64_t)boot_stacks[i] + EARLY_STACK_SIZE_BYTES);
    arch_use_interrupt_stacks(cpu, tops);
}

void descriptor_tables_load(struct arch_cpu *cpu)
{
    /* Beyond the limit: no I/O permission bitmap. */
    cpu->task_state.io_map_base = sizeof cpu->task_state;
    use_boot_stacks(cpu);
    fill_descriptors(cpu);
    fill_gates();

    struct table_register gdt = {sizeof cpu->descriptors - 1, (uint64_t)cpu->descriptors};
    struct table_register idt = {sizeof gates - 1, (uint64_t)gates};
    descriptor_tables_activate(&gdt, &idt);
}
