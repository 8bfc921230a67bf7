/*
 * boot_stage.h - functions for several stages of the boot. For kernel/boot/ only.
 */
#ifndef KERNEL_BOOT_BOOT_STAGE_H
#define KERNEL_BOOT_BOOT_STAGE_H

#include "kernel/kernel.h"
#include "shared/address.h"
#include "shared/page_table.h"

/* Mark the begin of a phase in the timeline. `phase` is a constant. */
void boot_stage_begin(struct kernel *kernel, const char *phase);

/* Return the address of this physical address in the direct map. */
static inline void *boot_stage_access(const struct kernel *kernel, struct phys_addr address)
{
    return (void *)virt_addr_add(kernel->direct_map_base, address.value).value;
}

/* Panic (PANIC_PAGE_TABLES), naming `what`, unless the status is OK. */
void boot_stage_require_mapped(enum page_table_status status, const char *what);

#endif
