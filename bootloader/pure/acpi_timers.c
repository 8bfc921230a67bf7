#include "bootloader/pure/acpi_timers.h"

#include "bootloader/pure/number_at.h"

/* FADT (ACPI 6.5, table 5.9) */
#define FADT_TIMER_PORT_OFFSET   76
#define FADT_TIMER_LENGTH_OFFSET 91
#define FADT_FLAGS_OFFSET        112
#define FADT_FLAGS_END           116
#define FADT_TIMER_OFFSET        208 /* the same port as an address structure */
#define FADT_TIMER_END           220

#define FADT_TIMER_OF_32_BITS (UINT32_C(1) << 8)
#define FADT_REDUCED_HARDWARE (UINT32_C(1) << 20)

/* The address structure (ACPI 6.5, 5.2.3.2): space, width, offset, access, address. */
#define ADDRESS_OFFSET 4
#define SPACE_MEMORY   0
#define SPACE_PORT     1
#define PORT_LIMIT     UINT64_C(0xfffc)

/* HPET's table */
#define HPET_ADDRESS_OFFSET 40
#define HPET_ADDRESS_END    52

#define FEMTOSECONDS_PER_SECOND UINT64_C(1000000000000000)
/* The specification demands 100 ns at most. Nothing counts faster than once in 1 ns. */
#define HPET_LEAST_PERIOD_FS UINT64_C(1000000)
#define HPET_MOST_PERIOD_FS  UINT64_C(100000000)

/* The long field counts where the table has it and it is not 0. */
static uint64_t power_timer_address(const uint8_t *fadt, uint64_t size_bytes)
{
    const uint8_t *wide = fadt + FADT_TIMER_OFFSET;
    uint64_t address = 0;
    if (size_bytes >= FADT_TIMER_END)
        address = number_at(wide + ADDRESS_OFFSET, 8);
    if (address != 0)
        return wide[0] == SPACE_PORT ? address : 0;
    return number_at(fadt + FADT_TIMER_PORT_OFFSET, 4);
}

static void find_power_timer(const uint8_t *fadt, uint64_t size_bytes, struct acpi_timers *timers)
{
    if (size_bytes < FADT_FLAGS_END || fadt[FADT_TIMER_LENGTH_OFFSET] != 4)
        return;
    uint64_t flags = number_at(fadt + FADT_FLAGS_OFFSET, 4);
    uint64_t address = power_timer_address(fadt, size_bytes);
    if ((flags & FADT_REDUCED_HARDWARE) != 0 || address > PORT_LIMIT)
        return;
    timers->power_timer_port = (uint16_t)address;
    timers->power_timer_mask = (flags & FADT_TIMER_OF_32_BITS) != 0 ? 0xffffffff : 0xffffff;
}

static void find_event_timer(const uint8_t *table, uint64_t size_bytes, struct acpi_timers *timers)
{
    if (size_bytes >= HPET_ADDRESS_END && table[HPET_ADDRESS_OFFSET] == SPACE_MEMORY)
        timers->event_timer_registers = number_at(table + HPET_ADDRESS_OFFSET + ADDRESS_OFFSET, 8);
}

void acpi_timers_find(const struct firmware_tables *tables,
                      const struct firmware_tables_memory *memory, struct acpi_timers *ret_timers)
{
    uint64_t size_bytes;
    *ret_timers = (struct acpi_timers){0};
    const uint8_t *fadt = firmware_tables_acpi(tables, memory, "FACP", &size_bytes);
    if (fadt != NULL)
        find_power_timer(fadt, size_bytes, ret_timers);
    const uint8_t *hpet = firmware_tables_acpi(tables, memory, "HPET", &size_bytes);
    if (hpet != NULL)
        find_event_timer(hpet, size_bytes, ret_timers);
}

uint64_t acpi_timers_hpet_hz(uint64_t capabilities)
{
    uint64_t period_fs = capabilities >> 32;
    if (period_fs < HPET_LEAST_PERIOD_FS || period_fs > HPET_MOST_PERIOD_FS)
        return 0;
    return FEMTOSECONDS_PER_SECOND / period_fs;
}
