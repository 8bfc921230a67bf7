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
#define SEGMENT_CODE UINT64_C(0x00af9b000000ffff)
#define SEGMENT_DATA UINT64_C(0x00cf93000000ffff)

/* None, code, data, and two for the TSS, which task_state_set() writes. */
static uint64_t segments[5];

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

/* Write the TSS, and its descriptor, which has two words. */
static void task_state_set(uint64_t displacement, uint64_t *descriptor)
{
    uint64_t base = (uint64_t)&task_state + displacement;
    uint64_t limit = sizeof(task_state) - 1;

    for (unsigned i = 0; i < FAULT_STACK_COUNT; i++)
        task_state.interrupt_stacks[i] =
            (uint64_t)fault_stacks[i] + FAULT_STACK_SIZE_BYTES + displacement;
    task_state.io_map_offset = sizeof(task_state); /* no I/O permission map */

    /* Intel SDM Vol. 3A, 7.2.3: available 64-bit TSS, present; 16 bytes. */
    descriptor[0] =
        limit | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    descriptor[1] = base >> 32;
}

static void load_at(uint64_t displacement)
{
    struct table_register gdt = {sizeof(segments) - 1, (uint64_t)segments + displacement};
    struct table_register idt = {sizeof(gates) - 1, (uint64_t)gates + displacement};

    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gate_set(vector, displacement, SELECTOR_CODE, stack_index(vector));
    segments[SELECTOR_CODE / 8] = SEGMENT_CODE;
    segments[SELECTOR_DATA / 8] = SEGMENT_DATA;
    task_state_set(displacement, &segments[SELECTOR_TASK_STATE / 8]);
    descriptor_tables_activate(&gdt, &idt);
}

void arch_install_fault_handlers(const struct arch_fault_sink *sink)
{
    fault_set_sink(sink);
    load_at(0);
}

/* --- Before the exit of boot services --- */

/* Of the firmware, while the loader's tables are in force in their place. */
static struct descriptor_table_register firmware_idt;
static struct descriptor_table_register firmware_gdt;
static bool is_watching;

/* A copy of the firmware's segments, with a TSS behind them. OVMF has nine segments. */
#define SEGMENT_LIMIT 64
static uint64_t watch_segments[SEGMENT_LIMIT + 2];

static size_t table_size_bytes(const struct descriptor_table_register *table)
{
    return (size_t)table->limit + 1;
}

/* A selector behind the table is a leftover of a program that has ended. */
static bool firmware_has_task_state(void)
{
    size_t selector = task_register_read();
    return selector != 0 && selector < table_size_bytes(&firmware_gdt);
}

/* Stacks for the handlers need a TSS. Firmware that has a TSS keeps it: to load it again, the CPU
 * would need a descriptor without the busy mark, and the firmware's table may be write-protected.
 * Return true if the loader's TSS is in force. All selectors mean the same as before, so interrupts
 * of the firmware are not disturbed. */
static bool load_task_state(void)
{
    size_t size_bytes = table_size_bytes(&firmware_gdt);
    size_t selector = (size_bytes + 7) / 8 * 8;
    if (firmware_has_task_state() || firmware_gdt.base == 0 || selector > SEGMENT_LIMIT * 8)
        return false;
    memcpy(watch_segments, (const void *)firmware_gdt.base, size_bytes);
    task_state_set(0, &watch_segments[selector / 8]);
    gdt_write(
        &(struct descriptor_table_register){(uint16_t)(selector + 15), (uint64_t)watch_segments});
    task_register_write((uint16_t)selector);
    return true;
}

/* The copy has the firmware's handlers for interrupts. Firmware that never enables interrupts may
 * have no table, at address 0. If the TSS is the firmware's, an exception keeps the stack that the
 * firmware has chosen for it: often none, and the handler runs on that of the faulting code. It
 * needs about 1.5 KiB; firmware of EDK2 gives 2 KiB. */
void arch_watch_faults(const struct arch_fault_sink *sink)
{
    firmware_idt = idt_read();
    firmware_gdt = gdt_read();
    is_watching = true;
    size_t size_bytes = table_size_bytes(&firmware_idt);
    if (size_bytes > sizeof(gates))
        size_bytes = sizeof(gates);
    if (firmware_idt.base != 0)
        memcpy(gates, (const void *)firmware_idt.base, size_bytes);
    bool has_stacks = load_task_state();
    for (unsigned vector = 0; vector < EXCEPTION_COUNT; vector++)
        gate_set(vector, 0, code_selector_read(),
                 has_stacks ? stack_index(vector) : gates[vector].stack_index);
    fault_set_sink(sink);
    idt_write(&(struct descriptor_table_register){sizeof(gates) - 1, (uint64_t)gates});
}

/* The firmware may have loaded other tables meanwhile. The CPU cannot go back to no TSS, so the task
 * register keeps the loader's. Nothing uses it: the firmware's gates name no stack of a TSS. */
void arch_unwatch_faults(void)
{
    if (is_watching && idt_read().base == (uint64_t)gates)
        idt_write(&firmware_idt);
    if (is_watching && gdt_read().base == (uint64_t)watch_segments)
        gdt_write(&firmware_gdt);
    is_watching = false;
}

void descriptor_tables_move_up(uint64_t displacement, uint64_t page_table_root)
{
    load_at(displacement);
    fault_set_page_tables(page_table_root);
}
