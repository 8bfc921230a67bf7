/*
 * platform_facts.h - the facts about the machine in the handoff, except its memory.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_PLATFORM_FACTS_H
#define BOOTLOADER_PURE_PLATFORM_FACTS_H

#include "bootloader/pure/firmware_tables.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct platform_facts {
    struct phys_addr efi_system_table;
    struct handoff_framebuffer framebuffer; /* all zero if there is no linear one */
    struct phys_addr rsdp;                  /* 0 if absent */
    struct phys_addr smbios;                /* 0 if absent */
    struct firmware_tables firmware_tables;
    enum handoff_boot_source boot_source;
    uint8_t boot_partition[16];  /* all zero without one */
    uint64_t clock_frequency_hz; /* of the CPU's own clock; 0 if unknown */
    enum handoff_seed_source seed_source;
    uint8_t seed[32]; /* all zero without a source */
};

/* Return the physical range of the framebuffer. It is empty if the machine has no linear
 * framebuffer. */
static inline struct phys_range platform_facts_framebuffer(const struct platform_facts *facts)
{
    const struct handoff_framebuffer *framebuffer = &facts->framebuffer;
    return phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes);
}

#endif
