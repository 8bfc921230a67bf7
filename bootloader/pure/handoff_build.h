/*
 * handoff_build.h - write struct handoff, with its checksum.
 *
 * Pure: facts of firmware and CPU come as numbers.
 */
#ifndef BOOTLOADER_PURE_HANDOFF_BUILD_H
#define BOOTLOADER_PURE_HANDOFF_BUILD_H

#include "bootloader/pure/config.h"
#include "bootloader/pure/elf.h"
#include "bootloader/pure/handoff_block.h"
#include "bootloader/pure/kernel_symbols.h"
#include "bootloader/pure/loader_log.h"
#include "bootloader/pure/placement.h"
#include "bootloader/pure/platform_facts.h"
#include "bootloader/pure/timeline.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct handoff_sources {
    uint32_t machine;        /* HANDOFF_MACHINE_* */
    union handoff_arch arch; /* the part for the machine */
    unsigned levels;         /* of page tables */
    uint64_t direct_map_size_bytes;
    uint32_t integrity_flags; /* HANDOFF_INTEGRITY_* */
    const struct elf_plan *kernel;
    const struct kernel_symbols *symbols;
    const struct placement *placement;
    const struct platform_facts *platform;
    const struct timeline *timeline;
    const struct loader_log *log;
    const struct config *config; /* the command line, the kernel's path */
};

/* Write the structure into its block, and copy log, command line and timeline there. This is the
 * last step before the switch. Precondition: the block has the regions of the final map. */
void handoff_build(struct handoff_block *block, const struct handoff_sources *sources);

#endif
