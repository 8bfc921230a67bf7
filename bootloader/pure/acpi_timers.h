/*
 * acpi_timers.h - the counters with a known frequency to which ACPI's tables lead: the power
 * management timer (FADT) and the HPET. Pure. (ACPI 6.5, sections 4.8.2.1 and 5.2.9; IA-PC HPET
 * specification 1.0a, sections 2.3 and 3.2.4.)
 */
#ifndef BOOTLOADER_PURE_ACPI_TIMERS_H
#define BOOTLOADER_PURE_ACPI_TIMERS_H

#include "bootloader/pure/firmware_tables.h"

#define ACPI_POWER_TIMER_HZ UINT64_C(3579545)

#define HPET_REGISTERS_SIZE_BYTES UINT64_C(0x400)
#define HPET_CAPABILITIES_OFFSET  0x00
#define HPET_CONFIGURATION_OFFSET 0x10
#define HPET_IS_ENABLED           UINT32_C(1) /* in the configuration */
#define HPET_COUNTER_OFFSET       0xf0

struct acpi_timers {
    uint16_t power_timer_port;      /* an I/O port of 32 bits; 0 without a timer */
    uint64_t power_timer_mask;      /* its largest count: of 24 or of 32 bits */
    uint64_t event_timer_registers; /* the address of the HPET's registers; 0 without one */
};

/* Find the counters. A table that is damaged or absent leaves a 0. */
void acpi_timers_find(const struct firmware_tables *tables,
                      const struct firmware_tables_memory *memory, struct acpi_timers *ret_timers);

/* Return the frequency of an HPET from its capabilities. Return 0 if its period is not one that the
 * specification allows. */
uint64_t acpi_timers_hpet_hz(uint64_t capabilities);

#endif
