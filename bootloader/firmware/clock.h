/*
 * clock.h - the frequency of the CPU's clock.
 */
#ifndef BOOTLOADER_FIRMWARE_CLOCK_H
#define BOOTLOADER_FIRMWARE_CLOCK_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/firmware_tables.h"

struct clock {
    uint64_t frequency_hz; /* 0: unknown */
    const char *source;    /* of the frequency, for the log; never NULL */
};

/* Find the frequency. The sources, from the best to the worst: the CPU, the hypervisor, the power
 * management timer of ACPI, the HPET, the firmware's delay. */
struct clock clock_find(const struct firmware_tables *tables);

#endif
