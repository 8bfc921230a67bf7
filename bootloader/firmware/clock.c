#include "bootloader/firmware/clock.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/system_tables.h"
#include "bootloader/pure/acpi_timers.h"
#include "bootloader/pure/clock_rate.h"

/* The firmware's delay has two lengths. Each is measured twice, because system management or a busy
 * hypervisor can only make a measurement longer. */
#define DELAY_COUNT              2
#define SHORT_DELAY_MICROSECONDS 100
#define LONG_DELAY_MICROSECONDS  350

static uint64_t read_power_timer(uint64_t port)
{
    return arch_io_read_32((uint16_t)port);
}

static uint64_t measure_with_power_timer(const struct acpi_timers *timers)
{
    const struct reference_counter counter = {ACPI_POWER_TIMER_HZ, timers->power_timer_mask,
                                              read_power_timer, timers->power_timer_port};
    return timers->power_timer_port == 0 ? 0 : clock_rate_measure_hz(arch_timestamp, &counter);
}

static uint64_t read_register_32(uint64_t address)
{
    return *(const volatile uint32_t *)address;
}

static uint64_t read_register_64(uint64_t address)
{
    return read_register_32(address) | read_register_32(address + 4) << 32;
}

/* Firmware that does not use the HPET leaves it switched off. Then it counts during the measurement
 * only. */
static uint64_t measure_running_hz(const struct reference_counter *counter, uint64_t registers)
{
    volatile uint32_t *control = (volatile uint32_t *)(registers + HPET_CONFIGURATION_OFFSET);
    uint32_t before = *control;
    if ((before & HPET_IS_ENABLED) == 0)
        *control = before | HPET_IS_ENABLED;
    uint64_t frequency_hz = clock_rate_measure_hz(arch_timestamp, counter);
    if ((before & HPET_IS_ENABLED) == 0)
        *control = before;
    return frequency_hz;
}

static uint64_t measure_with_event_timer(const struct acpi_timers *timers)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    uint64_t registers = timers->event_timer_registers;
    if (registers == 0 || registers > UINT64_MAX - HPET_REGISTERS_SIZE_BYTES ||
        memory.read(memory.context, registers, HPET_REGISTERS_SIZE_BYTES) == NULL)
        return 0;
    const struct reference_counter counter = {
        .frequency_hz = acpi_timers_hpet_hz(read_register_64(registers + HPET_CAPABILITIES_OFFSET)),
        .mask = UINT32_MAX,
        .read = read_register_32,
        .place = registers + HPET_COUNTER_OFFSET,
    };
    return counter.frequency_hz == 0 ? 0 : measure_running_hz(&counter, registers);
}

/* Return the least ticks of a delay; 0 if it fails. */
static uint64_t delay_ticks(EFI_BOOT_SERVICES *services, UINTN microseconds)
{
    uint64_t least_ticks = UINT64_MAX;
    for (unsigned i = 0; i < DELAY_COUNT; i++) {
        uint64_t start = arch_timestamp();
        if (EFI_ERROR(services->Stall(microseconds)))
            return 0;
        uint64_t ticks = arch_timestamp() - start;
        if (ticks < least_ticks)
            least_ticks = ticks;
    }
    return least_ticks;
}

static uint64_t measure_with_delay(EFI_BOOT_SERVICES *services)
{
    uint64_t short_ticks = delay_ticks(services, SHORT_DELAY_MICROSECONDS);
    uint64_t long_ticks = delay_ticks(services, LONG_DELAY_MICROSECONDS);
    return clock_rate_from_delays_hz(short_ticks, long_ticks,
                                     LONG_DELAY_MICROSECONDS - SHORT_DELAY_MICROSECONDS);
}

struct clock clock_find(const struct firmware_tables *tables)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    struct acpi_timers timers;
    struct clock clock = {.source = ""};

    clock.frequency_hz = arch_stated_clock_frequency_hz(&clock.source);
    if (clock_rate_is_plausible(clock.frequency_hz))
        return clock;
    acpi_timers_find(tables, &memory, &timers);
    clock = (struct clock){measure_with_power_timer(&timers), "ACPI PM timer"};
    if (clock.frequency_hz == 0)
        clock = (struct clock){measure_with_event_timer(&timers), "HPET"};
    if (clock.frequency_hz == 0)
        clock = (struct clock){measure_with_delay(firmware.services), "firmware's delay"};
    if (clock.frequency_hz == 0)
        clock.source = "unknown";
    return clock;
}
