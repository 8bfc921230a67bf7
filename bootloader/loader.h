/*
 * loader.h - the state of the boot sequence, which its steps share.
 *
 * A step is a function that takes the loader. One that can fail returns true to go on; on false
 * loader->failure says why.
 */
#ifndef BOOTLOADER_LOADER_H
#define BOOTLOADER_LOADER_H

#include "bootloader/fault_report.h"
#include "bootloader/firmware/console.h"
#include "bootloader/firmware/file.h"
#include "bootloader/firmware/firmware.h"
#include "bootloader/firmware/kernel_image.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/post_exit.h"
#include "bootloader/pure/claims.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/handoff_block.h"
#include "bootloader/pure/placement.h"
#include "bootloader/pure/platform_facts.h"
#include "bootloader/pure/table_pool.h"
#include "bootloader/pure/timeline.h"

/* Begins as zeros. Small members come first: shorter instructions reach them. */
struct loader {
    struct placement placement;
    struct page_table_features features; /* of the kernel's first tables */
    unsigned firmware_levels;            /* of the firmware's page tables */
    struct phys_addr trampoline_root;
    uint64_t direct_map_size_bytes;
    struct firmware firmware;
    struct page_table tables;
    struct table_pool table_pool;
    struct pages pages;
    struct handoff_block block;
    struct loader_failure failure;
    struct fault_report fault_report;
    struct elf_plan kernel;
    struct config config;
    struct timeline timeline;
    struct platform_facts platform;
    struct claims claims;
    struct console console;
    struct post_exit post_exit;
};

/* A phase of the timeline begins. */
void loader_begin_phase(struct loader *loader, const char *name);

#endif
