/*
 * local_timer.c - the timer of this CPU's local APIC (Intel SDM Vol. 3A, chapter 11). Every 64-bit
 * PC has this device, and it can interrupt without further setup.
 */
#include "kernel/arch/x86_64/local_timer.h"

#include "kernel/arch.h"
#include "shared/arch/x86_64/instructions.h"

#define MSR_APIC_BASE       UINT32_C(0x1b)
#define APIC_BASE_X2APIC    (UINT64_C(1) << 10)
#define APIC_BASE_ENABLED   (UINT64_C(1) << 11)
#define APIC_BASE_ADDRESS   UINT64_C(0x000ffffffffff000)
#define APIC_REGISTER_BYTES UINT64_C(4096)
/* In x2APIC mode a register is an MSR: this, plus its offset divided by 16. */
#define MSR_X2APIC UINT32_C(0x800)

#define REGISTER_END_OF_INTERRUPT UINT32_C(0x0b0)
#define REGISTER_SPURIOUS         UINT32_C(0x0f0)
#define REGISTER_TIMER            UINT32_C(0x320)
#define REGISTER_INITIAL_COUNT    UINT32_C(0x380)
#define REGISTER_DIVIDE           UINT32_C(0x3e0)

#define SPURIOUS_ENABLE UINT32_C(0x100)
#define TIMER_MASKED    UINT32_C(0x10000)
#define TIMER_PERIODIC  UINT32_C(0x20000)
#define DIVIDE_BY_1     UINT32_C(0xb)

/* Where the registers are mapped; NULL in x2APIC mode, and before arch_timer_attach(). */
static volatile uint8_t *registers;

static void register_write(uint32_t offset, uint32_t value)
{
    if (registers == NULL)
        msr_write(MSR_X2APIC + offset / 16, value);
    else
        *(volatile uint32_t *)(registers + offset) = value;
}

bool arch_timer_find(struct arch_device *ret_device)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    if ((base & APIC_BASE_ENABLED) == 0)
        return false;
    *ret_device = (struct arch_device){
        .name = "local APIC",
        .base = phys_addr(base & APIC_BASE_ADDRESS),
        .size_bytes = (base & APIC_BASE_X2APIC) == 0 ? APIC_REGISTER_BYTES : 0,
    };
    return true;
}

void arch_timer_attach(struct virt_addr mapped)
{
    registers = (volatile uint8_t *)mapped.value;
}

/* The kernel does not change the devices, so one may still raise an interrupt that the firmware
 * handled. While the timer runs, only its class of vectors is enabled (Intel SDM Vol. 3A,
 * 11.8.3.1). */
void arch_timer_start(uint32_t period_ticks)
{
    task_priority_write(LOCAL_TIMER_VECTOR / 16 - 1);
    register_write(REGISTER_SPURIOUS, SPURIOUS_ENABLE | LOCAL_TIMER_SPURIOUS_VECTOR);
    register_write(REGISTER_DIVIDE, DIVIDE_BY_1);
    register_write(REGISTER_TIMER, TIMER_PERIODIC | LOCAL_TIMER_VECTOR);
    register_write(REGISTER_INITIAL_COUNT, period_ticks);
}

void arch_timer_stop(void)
{
    register_write(REGISTER_TIMER, TIMER_MASKED | LOCAL_TIMER_VECTOR);
    register_write(REGISTER_INITIAL_COUNT, 0);
}

void arch_interrupt_acknowledge(void)
{
    register_write(REGISTER_END_OF_INTERRUPT, 0);
}
