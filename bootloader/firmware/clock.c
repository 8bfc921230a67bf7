#include "bootloader/firmware/clock.h"

#include "bootloader/arch.h"

/* Each measurement is long enough for an accuracy of 1 % with the firmware's microsecond clock. All
 * of them together take a time that no user notices. */
#define MEASUREMENT_COUNT        4
#define MEASUREMENT_MICROSECONDS 125

/* Stall() waits at least the given time. System management or a busy hypervisor can only make a
 * measurement larger. So the smallest is the best. */
static uint64_t measure_hz(EFI_BOOT_SERVICES *services)
{
    uint64_t least_ticks = UINT64_MAX;
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++) {
        uint64_t start = arch_timestamp();
        if (EFI_ERROR(services->Stall(MEASUREMENT_MICROSECONDS)))
            return 0;
        uint64_t ticks = arch_timestamp() - start;
        if (ticks < least_ticks)
            least_ticks = ticks;
    }
    return least_ticks * (1000000 / MEASUREMENT_MICROSECONDS);
}

uint64_t clock_frequency_hz(const struct firmware *firmware)
{
    uint64_t stated_hz = arch_stated_clock_frequency_hz();
    return stated_hz != 0 ? stated_hz : measure_hz(firmware->services);
}
