/*
 * placement.h - the physical places of all memory with which the kernel begins.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_PLACEMENT_H
#define BOOTLOADER_PURE_PLACEMENT_H

#include "bootloader/pure/config_heap.h"
#include "bootloader/pure/config_module.h"
#include "bootloader/pure/loader_image.h"
#include "bootloader/pure/parking.h"
#include "shared/range.h"

/* Each range is page-aligned, except the ends of the modules. */
struct placement {
    struct phys_range kernel;
    struct phys_range stack;           /* at least BOOTSTRAP_STACK_SIZE_BYTES */
    struct phys_range processor_start; /* empty if absent */
    struct phys_range boot_record;     /* empty if absent */
    struct parking parking;            /* empty if no processor is started */
    struct phys_range page_tables;
    struct phys_range trampoline; /* empty if none is needed (bootloader/arch.h) */
    struct loader_image loader;   /* the loader itself */
    struct phys_range temp_heaps[CONFIG_HEAP_LIMIT]; /* from the first empty one on: absent */
    struct phys_range modules[CONFIG_MODULE_LIMIT];  /* with the sizes of the files */
};

#endif
