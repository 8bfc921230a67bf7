/*
 * loader.h - the state that the steps of the boot sequence share.
 *
 * A step is a function that takes this state. A step that can fail returns true on success. If it
 * returns false, last_failure has the reason.
 */
#ifndef BOOTLOADER_LOADER_H
#define BOOTLOADER_LOADER_H

#include "bootloader/fault_report.h"
#include "bootloader/firmware/console.h"
#include "bootloader/firmware/file.h"
#include "bootloader/firmware/firmware.h"
#include "bootloader/firmware/kernel_image.h"
#include "bootloader/firmware/kernel_symbols.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/firmware/screen.h"
#include "bootloader/integrity.h"
#include "bootloader/post_exit.h"
#include "bootloader/pure/claims.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/entries.h"
#include "bootloader/pure/handoff_block.h"
#include "bootloader/pure/madt.h"
#include "bootloader/pure/placement.h"
#include "bootloader/pure/platform_facts.h"
#include "bootloader/pure/serial_choice.h"
#include "bootloader/pure/table_pool.h"
#include "bootloader/pure/timeline.h"
#include "bootloader/start_state.h"
#include "shared/post_mortem.h"

/* The state of the list of entries and of the choice. */
struct chooser {
    struct volume volume;   /* closed if the root is NULL */
    struct file config;     /* handoff.conf; closed if the handle is NULL */
    struct phys_addr texts; /* the files of entries, in one block of memory; 0: none */
    struct entry *chosen;   /* NULL before the first choice */
    const char *refusal;    /* of an entry's file; NULL without one */
    bool has_menu;          /* the menu has been shown */
    bool has_returned;      /* the chosen EFI application has ended with success */
    char config_path[CONFIG_PATH_CAPACITY];
};

/* It begins as zeros. Short instructions reach the first 128 bytes, so what many steps use is there:
 * small fields, and the begin of the console. */
struct loader {
    struct serial_choice serial; /* chosen when the facts are gathered, or for an error */
    struct integrity integrity;
    struct page_table_features features; /* of the kernel's first tables */
    unsigned firmware_levels;            /* of the firmware's page tables */
    bool no_execute_was_off;             /* the firmware had switched no-execute pages off */
    struct placement placement;
    struct phys_addr trampoline_root;
    struct phys_addr parking_root; /* of the tables in the parking block */
    uint64_t direct_map_size_bytes;
    struct page_table tables;
    struct table_pool table_pool;
    struct screen screen;
    struct pages pages;
    struct handoff_block block;
    struct post_mortem_area boot_record; /* its bytes are NULL without a record */
    struct post_mortem last_boot;        /* its texts lie in the boot record */
    bool has_last_boot;
    struct memory_map_report map_report; /* of the final map */
    struct fault_report fault_report;
    struct elf_plan kernel;
    struct kernel_demands demands; /* of its notes */
    struct config config;          /* of the chosen entry */
    struct config globals;         /* of handoff.conf, before its first entry */
    struct kernel_symbols symbols; /* without any unless symbols=on */
    struct start_state start;
    struct timeline timeline;
    struct platform_facts platform;
    struct claims claims;
    struct processor_list processors;
    struct post_exit post_exit;
    struct chooser chooser;
    struct entry_list entries;
};

/* Mark the begin of a phase in the timeline. */
void loader_begin_phase(struct loader *loader, const char *name);

#endif
