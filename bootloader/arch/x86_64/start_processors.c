/*
 * start_processors.c - start other processors: INIT, 10 ms, SIPI, 200 µs, SIPI (Intel SDM Vol. 3A,
 * 9.4.4.1).
 */
#include "bootloader/arch.h"
#include "bootloader/arch/x86_64/enter.h"
#include "bootloader/arch/x86_64/start_processor.h"
#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/page_entry.h"
#include "shared/memory.h"

/* The local APIC's interrupt command (Intel SDM Vol. 3A, 11.6.1 and 11.12.9). */
#define COMMAND_OFFSET     0x300
#define DESTINATION_OFFSET 0x310
#define COMMAND_IS_PENDING (UINT32_C(1) << 12)
#define COMMAND_INIT       UINT32_C(0x4500)
#define COMMAND_START      UINT32_C(0x4600)
/* In xAPIC mode, 255 means all processors. */
#define XAPIC_ID_LIMIT     UINT32_C(255)
#define PENDING_POLL_LIMIT 100000

/* It means all processors, so no processor has it. */
#define NO_HARDWARE_ID UINT32_MAX

#define LONG_MODE_ENABLE UINT32_C(0x100) /* EFER.LME */

/* If the frequency is unknown, waits are as long as with this one, or longer. */
#define FASTEST_CLOCK_HZ UINT64_C(10000000000)
#define ANSWER_LIMIT_MS  1000

uint32_t arch_processor_id(void)
{
    struct cpuid_result topology = cpuid_read(CPUID_TOPOLOGY, 0);
    return topology.ebx != 0 ? topology.edx : cpuid_read(CPUID_FEATURES, 0).ebx >> 24;
}

static bool is_x2apic(void)
{
    return (msr_read(MSR_APIC_BASE) & control_mask(APIC_BASE_BIT_X2APIC)) != 0;
}

struct phys_addr arch_start_registers(void)
{
    return phys_addr(is_x2apic() ? 0 : msr_read(MSR_APIC_BASE) & PAGE_ENTRY_ADDRESS_MASK);
}

/* In x2APIC mode, the write of the MSR does not wait for stores before it. */
static void send(const struct parking_seat *seat, uint32_t command)
{
    volatile uint8_t *registers = (volatile uint8_t *)arch_start_registers().value;
    volatile uint32_t *low = (volatile uint32_t *)(registers + COMMAND_OFFSET);
    uint64_t id = seat->hardware_id;
    if (registers == NULL) {
        memory_fence();
        msr_write(MSR_X2APIC_COMMAND, id << 32 | command);
        return;
    }
    if (id >= XAPIC_ID_LIMIT)
        return;
    *(volatile uint32_t *)(registers + DESTINATION_OFFSET) = (uint32_t)id << 24;
    *low = command;
    for (unsigned i = 0; i < PENDING_POLL_LIMIT && (*low & COMMAND_IS_PENDING) != 0; i++)
        spin_pause();
}

/* --- The data of the processors --- */

static void copy_code(void *target, const uint8_t *code, const uint8_t *end)
{
    memcpy(target, code, (uintptr_t)end - (uintptr_t)code);
}

static void fill_start_page(const struct arch_start *start)
{
    struct start_page *page = (struct start_page *)start->page.value;
    copy_code(page, start_page, start_page_end);
    page->root = (uint32_t)start->root.value;
    page->cr4 = (uint32_t)enter_cr4(start->features->levels);
    page->efer = LONG_MODE_ENABLE;
    if (start->features->no_execute)
        page->efer |= (uint32_t)control_mask(EFER_BIT_NO_EXECUTE);
    if (start->no_execute_was_off)
        page->misc_enable_kept = ~(uint32_t)(control_mask(MISC_ENABLE_BIT_NO_EXECUTE_OFF) >> 32);
    page->code_64.offset =
        (uint32_t)start->page.value + (uint32_t)((uintptr_t)start_code_64 - (uintptr_t)start_page);
    page->parking_code = PARKING_VIRTUAL_BASE;
    page->gdt.base = (uint64_t)page->segments;
}

static void fill_header(const struct arch_start *start)
{
    const struct parking *parking = start->parking;
    struct parking_header *header = (struct parking_header *)parking_header(parking).value;
    uint64_t code = PARKING_VIRTUAL_BASE - (uint64_t)parking_code;
    copy_code((void *)parking->memory.start.value, parking_code, parking_code_end);
    for (unsigned vector = 0; vector < EXCEPTION_COUNT; vector++)
        gate_set(&header->gates[vector],
                 code + (uint64_t)(vector == EXCEPTION_NMI ? parking_nmi : parking_fault),
                 SELECTOR_CODE, 1);
    header->idt.limit = sizeof(header->gates) - 1;
    header->idt.base = PARKING_VIRTUAL_BASE + PARKING_CODE_SIZE_BYTES;
    header->pat = start->features->write_combining ? PAGE_ENTRY_PAT_MSR_VALUE : 0;
    header->seat_count = parking->seat_count;
    header->is_x2apic = is_x2apic();
}

/* Intel SDM Vol. 3A, figure 7-11: interrupt stack 1. The I/O map is used below ring 0 only. */
#define TASK_STATE_STACK_OFFSET 36

static void fill_seat(struct parking_seat *seat, uint64_t displacement)
{
    struct seat_tables *tables = (struct seat_tables *)seat->arch;
    uint64_t stack_top = (uint64_t)(seat + 1) + displacement;
    memset(tables, 0, sizeof(*tables));
    tables->segments[SELECTOR_CODE / 8] = SEGMENT_CODE;
    tables->segments[SELECTOR_DATA / 8] = SEGMENT_DATA;
    task_state_describe((uint64_t)tables->task_state + displacement,
                        &tables->segments[SELECTOR_TASK_STATE / 8]);
    memcpy(tables->task_state + TASK_STATE_STACK_OFFSET, &stack_top, sizeof(stack_top));
    tables->gdt.limit = sizeof(tables->segments) - 1;
    tables->gdt.base = (uint64_t)tables->segments + displacement;
}

/* --- The start --- */

static struct parking_seat *seat_at(const struct parking *parking, uint32_t index)
{
    return (struct parking_seat *)parking_seat(parking, index).value;
}

static bool is_waiting(const struct parking_seat *seat)
{
    return __atomic_load_n(&seat->mailbox.state, __ATOMIC_ACQUIRE) == HANDOFF_MAILBOX_WAITS;
}

/* Send the command to each processor that does not wait. Return their number. */
static uint32_t send_to_silent(const struct parking *parking, uint32_t command)
{
    uint32_t silent_count = 0;
    for (uint32_t i = 0; i < parking->seat_count; i++) {
        if (is_waiting(seat_at(parking, i)))
            continue;
        silent_count++;
        if (command != 0)
            send(seat_at(parking, i), command);
    }
    return silent_count;
}

static void wait_ticks(uint64_t ticks)
{
    uint64_t begin = timestamp_read();
    while (timestamp_read() - begin < ticks)
        spin_pause();
}

/* One that comes late would run code that the kernel has replaced. So it is reset. */
static void give_up_silent(const struct parking *parking, uint64_t ticks_per_ms)
{
    if (send_to_silent(parking, 0) == 0)
        return;
    for (uint32_t i = 0; i < parking->seat_count; i++) {
        struct parking_seat *seat = seat_at(parking, i);
        if (is_waiting(seat))
            continue;
        send(seat, COMMAND_INIT);
        seat->hardware_id = NO_HARDWARE_ID;
    }
    wait_ticks(10 * ticks_per_ms);
    for (uint32_t i = 0; i < parking->seat_count; i++) {
        if (seat_at(parking, i)->hardware_id == NO_HARDWARE_ID)
            seat_at(parking, i)->mailbox.state = HANDOFF_MAILBOX_ABSENT;
    }
}

void arch_start_processors(const struct arch_start *start)
{
    const struct parking *parking = start->parking;
    uint64_t hz = start->clock_frequency_hz != 0 ? start->clock_frequency_hz : FASTEST_CLOCK_HZ;
    uint64_t ticks_per_ms = hz / 1000;
    uint32_t startup = COMMAND_START | (uint32_t)(start->page.value >> PAGE_SHIFT);
    fill_start_page(start);
    fill_header(start);
    for (uint32_t i = 0; i < parking->seat_count; i++)
        fill_seat(seat_at(parking, i), PARKING_VIRTUAL_BASE - parking->memory.start.value);
    (void)send_to_silent(parking, COMMAND_INIT);
    wait_ticks(10 * ticks_per_ms);
    (void)send_to_silent(parking, startup);
    wait_ticks(ticks_per_ms / 5);
    (void)send_to_silent(parking, startup);
    for (unsigned i = 0; i < ANSWER_LIMIT_MS && send_to_silent(parking, 0) != 0; i++)
        wait_ticks(ticks_per_ms);
    give_up_silent(parking, ticks_per_ms);
}
