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
#define COMMAND_LAST_INIT  (COMMAND_INIT | 1) /* the vector of an INIT has no meaning */
#define COMMAND_START      UINT32_C(0x4600)
/* In xAPIC mode, 255 means all processors. */
#define XAPIC_ID_LIMIT     UINT32_C(255)
#define PENDING_POLL_LIMIT 100000

/* It means all processors, so no processor has it. */
#define NO_HARDWARE_ID UINT32_MAX

#define LONG_MODE_ENABLE UINT32_C(0x100) /* EFER.LME */

/* If the frequency is unknown, waits are as long as with this one, or longer. */
#define FASTEST_CLOCK_HZ   UINT64_C(10000000000)
#define ANSWER_LIMIT_UNITS 5000 /* a second */

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

/* Both pages have all of the code. */
static __attribute__((noinline)) void copy_code(void *page)
{
    memcpy(page, start_page, (uintptr_t)start_page_end - (uintptr_t)start_page);
}

static void fill_start_page(const struct arch_start *start)
{
    struct start_page *page = (struct start_page *)start->page.value;
    copy_code(page);
    page->root = (uint32_t)start->root.value;
    page->cr4 = (uint32_t)enter_cr4(start->features->levels);
    page->efer = LONG_MODE_ENABLE;
    if (start->features->no_execute)
        page->efer |= (uint32_t)control_mask(EFER_BIT_NO_EXECUTE);
    if (start->no_execute_was_off)
        page->misc_enable_kept = ~(uint32_t)(control_mask(MISC_ENABLE_BIT_NO_EXECUTE_OFF) >> 32);
    page->code_64.offset =
        (uint32_t)start->page.value + (uint32_t)((uintptr_t)start_code_64 - (uintptr_t)start_page);
    page->gdt.base = (uint64_t)page->segments;
}

static void fill_block(const struct arch_start *start)
{
    struct parking_header *header = (struct parking_header *)parking_header(start->parking).value;
    copy_code((void *)start->parking->memory.start.value);
    header->seat_count = start->parking->seat_count;
    header->is_x2apic = is_x2apic();
}

/* --- The start --- */

static struct parking_seat *seat_at(const struct parking *parking, uint32_t index)
{
    return (struct parking_seat *)parking_seat(parking, index).value;
}

bool arch_has_started(const struct parking_seat *seat)
{
    return __atomic_load_n(&seat->mailbox.state, __ATOMIC_ACQUIRE) == HANDOFF_MAILBOX_WAITS &&
           seat->hardware_id != NO_HARDWARE_ID;
}

/* Send a command, or nothing if it is 0, to each processor that has not answered. Return whether
 * there is one. */
static bool send_to_silent(const struct parking *parking, uint32_t command)
{
    bool is_silent = false;
    for (uint32_t i = 0; i < parking->seat_count; i++) {
        struct parking_seat *seat = seat_at(parking, i);
        if (arch_has_started(seat))
            continue;
        is_silent = true;
        if (command != 0)
            send(seat, command);
        if (command == COMMAND_LAST_INIT)
            seat->hardware_id = NO_HARDWARE_ID;
    }
    return is_silent;
}

static void wait_ticks(uint64_t ticks)
{
    uint64_t begin = timestamp_read();
    while (timestamp_read() - begin < ticks)
        spin_pause();
}

/* A processor that came late would run code that the kernel has replaced. So it is reset, and its
 * seat stays unused. */
void arch_start_processors(const struct arch_start *start)
{
    const struct parking *parking = start->parking;
    uint64_t hz = start->clock_frequency_hz != 0 ? start->clock_frequency_hz : FASTEST_CLOCK_HZ;
    uint64_t ticks_per_unit = hz / 5000; /* 200 µs */
    uint32_t startup = COMMAND_START | (uint32_t)(start->page.value >> PAGE_SHIFT);
    fill_start_page(start);
    fill_block(start);
    (void)send_to_silent(parking, COMMAND_INIT);
    wait_ticks(50 * ticks_per_unit);
    (void)send_to_silent(parking, startup);
    wait_ticks(ticks_per_unit);
    (void)send_to_silent(parking, startup);
    for (unsigned i = 0; i < ANSWER_LIMIT_UNITS && send_to_silent(parking, 0); i++)
        wait_ticks(ticks_per_unit);
    if (send_to_silent(parking, COMMAND_LAST_INIT))
        wait_ticks(50 * ticks_per_unit);
}
