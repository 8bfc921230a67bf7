/*
 * task_state.c - firmware that has stacks for exceptions.
 *
 * Plan:
 *   task-state         a TSS is in force, and page faults and double faults have a stack of it
 *   task-state-left    the task register has the TSS of a program that has ended: its descriptor is
 *                      behind the firmware's table
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

#define SEGMENT_LIMIT     64
#define GATE_SIZE_BYTES   16
#define GATE_STACK_OFFSET 4
#define STACK_NUMBER      3
#define PAGE_FAULT        14
#define DOUBLE_FAULT      8

/* Intel SDM Vol. 3A, figure 7-11 */
struct __attribute__((packed)) task_state {
    uint32_t reserved_0;
    uint64_t privileged_stacks[3];
    uint64_t reserved_1;
    uint64_t interrupt_stacks[7];
    uint64_t reserved_2;
    uint16_t reserved_3;
    uint16_t io_map_offset;
};

static uint64_t segments[SEGMENT_LIMIT + 2];
static struct task_state task_state;
static _Alignas(16) uint8_t stack[8192];

static bool load(void)
{
    struct descriptor_table_register gdt = gdt_read();
    size_t size_bytes = (size_t)gdt.limit + 1;
    uint64_t base = (uint64_t)&task_state;
    if (size_bytes % 8 != 0 || size_bytes > SEGMENT_LIMIT * 8) {
        say("task-state: a descriptor table of %llu bytes", (uint64_t)size_bytes);
        return false;
    }
    memcpy(segments, (const void *)gdt.base, size_bytes);
    task_state.interrupt_stacks[STACK_NUMBER - 1] = (uint64_t)stack + sizeof stack;
    task_state.io_map_offset = sizeof task_state;
    segments[size_bytes / 8] = (sizeof task_state - 1) | (base & 0xffffff) << 16 |
                               UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    segments[size_bytes / 8 + 1] = base >> 32;
    gdt_write(&(struct descriptor_table_register){(uint16_t)(size_bytes + 15), (uint64_t)segments});
    task_register_write((uint16_t)size_bytes);
    return true;
}

static void set_stack(unsigned vector)
{
    ((uint8_t *)idt_read().base)[vector * GATE_SIZE_BYTES + GATE_STACK_OFFSET] = STACK_NUMBER;
}

void task_state_install(void)
{
    struct descriptor_table_register gdt = gdt_read();
    if (plan_has(&stage.plan, "task-state-left", NULL) && load())
        gdt_write(&gdt);
    if (plan_has(&stage.plan, "task-state", NULL) && load()) {
        set_stack(PAGE_FAULT);
        set_stack(DOUBLE_FAULT);
    }
}
