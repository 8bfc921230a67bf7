/*
 * time.c - clocks, delays and timers that are absent or wrong.
 *
 * Plan:
 *   no-power-timer   the FADT names no power-management timer
 *   event-timer-runs the HPET counts (OVMF leaves it switched off)
 *   stall-at-once    Stall() returns at once
 *   stall-fails      Stall() fails
 *   timer-never      SetTimer() succeeds, and the event is never signalled
 */
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

#define FADT_PORT_OFFSET    76
#define FADT_LENGTH_OFFSET  91
#define FADT_ADDRESS_OFFSET 208
#define FADT_ADDRESS_BYTES  12

#define HPET_ADDRESS_OFFSET       44
#define HPET_CONFIGURATION_OFFSET 0x10
#define HPET_ENABLE               1

static uint64_t number_at(const uint8_t *bytes, unsigned size_bytes)
{
    uint64_t number = 0;
    for (unsigned i = size_bytes; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

uint8_t *find_acpi_table(const char signature[4])
{
    static const EFI_GUID acpi = ACPI_20_TABLE_GUID;
    for (UINTN i = 0; i < stage.system_table->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *entry = &stage.system_table->ConfigurationTable[i];
        if (memcmp(&entry->VendorGuid, &acpi, sizeof(acpi)) != 0)
            continue;
        const uint8_t *xsdt = (const uint8_t *)number_at((uint8_t *)entry->VendorTable + 24, 8);
        for (uint64_t offset = 36; offset + 8 <= number_at(xsdt + 4, 4); offset += 8) {
            uint8_t *table = (uint8_t *)number_at(xsdt + offset, 8);
            if (memcmp(table, signature, 4) == 0)
                return table;
        }
    }
    say("there is no table %.4s", signature);
    return NULL;
}

void seal_acpi_table(uint8_t *table)
{
    uint8_t sum = 0;
    table[9] = 0;
    for (uint64_t i = 0; i < number_at(table + 4, 4); i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

static void hide_power_timer(void)
{
    uint8_t *fadt = find_acpi_table("FACP");
    if (fadt == NULL)
        return;
    uint64_t size_bytes = number_at(fadt + 4, 4);
    memset(fadt + FADT_PORT_OFFSET, 0, 4);
    fadt[FADT_LENGTH_OFFSET] = 0;
    if (size_bytes >= FADT_ADDRESS_OFFSET + FADT_ADDRESS_BYTES)
        memset(fadt + FADT_ADDRESS_OFFSET, 0, FADT_ADDRESS_BYTES);
    seal_acpi_table(fadt);
    say("the FADT has no power-management timer");
}

static void start_event_timer(void)
{
    const uint8_t *hpet = find_acpi_table("HPET");
    if (hpet == NULL)
        return;
    volatile uint32_t *configuration =
        (volatile uint32_t *)(number_at(hpet + HPET_ADDRESS_OFFSET, 8) + HPET_CONFIGURATION_OFFSET);
    say("the HPET's configuration was %x", *configuration);
    *configuration |= HPET_ENABLE;
}

static EFI_STATUS stall(UINTN microseconds)
{
    if (plan_has(&stage.plan, "stall-fails", NULL))
        return EFI_DEVICE_ERROR;
    if (plan_has(&stage.plan, "stall-at-once", NULL))
        return EFI_SUCCESS;
    return stage.firmware->Stall(microseconds);
}

static EFI_STATUS set_timer(EFI_EVENT event, EFI_TIMER_DELAY kind, UINT64 time)
{
    if (plan_has(&stage.plan, "timer-never", NULL))
        return EFI_SUCCESS;
    return stage.firmware->SetTimer(event, kind, time);
}

void time_install(void)
{
    stage.services->Stall = stall;
    stage.services->SetTimer = set_timer;
    if (plan_has(&stage.plan, "no-power-timer", NULL))
        hide_power_timer();
    if (plan_has(&stage.plan, "event-timer-runs", NULL))
        start_event_timer();
}
