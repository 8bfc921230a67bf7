#include "bootloader/arch/x86_64/descriptor_tables.h"

#include "bootloader/arch.h"
#include "bootloader/arch/x86_64/fault.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/memory.h"

#define VECTOR_COUNT 256

#define FAULT_STACK_COUNT 4

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

/* The CPU reaches these by address, so they cannot be passed as arguments. The loader has one
 * instance of each. */
static struct gate gates[VECTOR_COUNT];
static struct task_state task_state;
/* enter.S uses the first one, too. */
extern uint8_t fault_stacks[FAULT_STACK_COUNT][FAULT_STACK_SIZE_BYTES];
_Alignas(16) uint8_t fault_stacks[FAULT_STACK_COUNT][FAULT_STACK_SIZE_BYTES];

/* Present, accessed (so that the CPU never writes here), 64-bit. */
static uint64_t segments[] = {
    0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff),
    0, /* TSS, filled by task_state_set() */
    0,
};

/* fault_entry.S: one stub for each exception, then one for all other vectors. */
extern const uint8_t fault_stubs[];
#define FAULT_STUB_SIZE_BYTES 4

/* descriptor_tables_activate.S. Loads the registers and reloads every segment. */
void descriptor_tables_activate(const struct table_register *gdt, const struct table_register *idt);

static uint8_t stack_index(unsigned vector)
{
    switch (vector) {
    case EXCEPTION_DOUBLE_FAULT:
        return 2;
    case EXCEPTION_NMI:
        return 3;
    case EXCEPTION_MACHINE_CHECK:
        return 4;
    default:
        return 1;
    }
}

static void gate_set(unsigned vector, uint64_t displacement, uint16_t selector, uint8_t stack)
{
    unsigned stub = vector < EXCEPTION_COUNT ? vector : EXCEPTION_COUNT;
    uint64_t address = (uint64_t)fault_stubs + stub * FAULT_STUB_SIZE_BYTES + displacement;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)address,
        .selector = selector,
        .stack_index = stack,
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
    segments[SELECTOR_TASK_STATE / 8] =
        limit | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    segments[SELECTOR_TASK_STATE / 8 + 1] = base >> 32;
}

static void load_at(uint64_t displacement)
{
    struct table_register gdt = {sizeof(segments) - 1, (uint64_t)segments + displacement};
    struct table_register idt = {sizeof(gates) - 1, (uint64_t)gates + displacement};

    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gate_set(vector, displacement, SELECTOR_CODE, stack_index(vector));
    task_state_set(displacement);
    descriptor_tables_activate(&gdt, &idt);
}

void arch_install_fault_handlers(const struct arch_fault_sink *sink)
{
    fault_set_sink(sink);
    load_at(0);
}

/* Of the firmware, while the loader's table is in force in its place. */
static struct descriptor_table_register firmware_table;
static bool is_watching;

/* The copy has the firmware's handlers for interrupts. Its segments stay in force, so its TSS does,
 * too: without a stack of its own, a handler runs on the stack of the faulting code. Firmware that
 * never enables interrupts may have no table, at address 0. */
void arch_watch_faults(const struct arch_fault_sink *sink)
{
    firmware_table = idt_read();
    is_watching = true;
    size_t size_bytes = (size_t)firmware_table.limit + 1;
    if (size_bytes > sizeof(gates))
        size_bytes = sizeof(gates);
    if (firmware_table.base != 0)
        memcpy(gates, (const void *)firmware_table.base, size_bytes);
    for (unsigned vector = 0; vector < EXCEPTION_COUNT; vector++)
        gate_set(vector, 0, code_selector_read(), 0);
    fault_set_sink(sink);
    idt_write(&(struct descriptor_table_register){sizeof(gates) - 1, (uint64_t)gates});
}

/* The firmware may have loaded another table meanwhile. */
void arch_unwatch_faults(void)
{
    if (is_watching && idt_read().base == (uint64_t)gates)
        idt_write(&firmware_table);
    is_watching = false;
}

void descriptor_tables_move_up(uint64_t displacement, uint64_t page_table_root)
{
    load_at(displacement);
    fault_set_page_tables(page_table_root);
}
