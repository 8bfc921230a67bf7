/*
 * platform.h - what the kernel wants to know of the machine, asked while the firmware is there.
 */
#ifndef BOOTLOADER_FIRMWARE_PLATFORM_H
#define BOOTLOADER_FIRMWARE_PLATFORM_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/firmware_tables.h"
#include "shared/handoff.h"

struct platform {
    struct handoff_framebuffer framebuffer; /* all zero if there is no linear one */
    uint64_t rsdp;                          /* physical; 0 if absent */
    uint64_t smbios;                        /* physical; 0 if absent */
    struct firmware_tables firmware_tables;
    enum handoff_boot_source boot_source;
    uint8_t boot_partition[16];  /* all zero without one */
    uint64_t clock_frequency_hz; /* of the CPU's own clock; 0 if unknown */
    enum handoff_seed_source seed_source;
    uint8_t seed[32]; /* all zero without a source */
};

/* Gather all of it. Nothing here is an error: what is absent is zero, and said in the log where a
 * kernel may miss it. Boot phase only. */
void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform *ret_platform);

#endif
