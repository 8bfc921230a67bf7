/*
 * platform_facts.h - the facts about the machine in the handoff, except its memory.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_PLATFORM_FACTS_H
#define BOOTLOADER_PURE_PLATFORM_FACTS_H

#include "bootloader/pure/firmware_tables.h"
#include "bootloader/pure/framebuffer.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct platform_facts {
    struct phys_addr efi_system_table;
    struct framebuffer_list framebuffers; /* the first is the console's */
    struct phys_addr rsdp;                /* 0 if absent */
    struct phys_addr smbios;              /* 0 if absent */
    struct firmware_tables firmware_tables;
    enum handoff_boot_source boot_source;
    uint8_t boot_partition[16];  /* all zero without one */
    uint64_t clock_frequency_hz; /* of the CPU's own clock; 0 if unknown */
    const char *clock_source;    /* the clock that it was measured with, for the log */
    enum handoff_seed_source seed_source;
    uint8_t seed[32]; /* all zero without a source */
};

#endif
