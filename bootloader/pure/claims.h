/*
 * claims.h - collect the claims over the firmware's map: the loader's blocks, the framebuffers, and
 * the firmware's tables.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_CLAIMS_H
#define BOOTLOADER_PURE_CLAIMS_H

#include "bootloader/pure/config_heap.h"
#include "bootloader/pure/config_module.h"
#include "bootloader/pure/firmware_tables.h"
#include "bootloader/pure/framebuffer.h"
#include "bootloader/pure/memory_map.h"

/* The blocks: kernel, stack, the page for starting processors, the boot record, handoff data, page
 * tables, the trampoline, parked processors, the kernel's symbols, a file or a map while it is read,
 * temporary heaps and modules. */
#define CLAIMS_BLOCK_LIMIT (11 + CONFIG_HEAP_LIMIT + CONFIG_MODULE_LIMIT)

/* The blocks, the loader's image, the framebuffers, the firmware's tables. */
#define CLAIMS_LIMIT (CLAIMS_BLOCK_LIMIT + 1 + FRAMEBUFFER_LIMIT + FIRMWARE_TABLES_LIMIT)

struct claims {
    size_t count;
    struct memory_map_claim list[CLAIMS_LIMIT];
};

/* Begin with the loader's blocks of pages: at most CLAIMS_BLOCK_LIMIT. */
void claims_begin(struct claims *claims, const struct memory_map_claim *blocks, size_t block_count);

/* Add a range. Precondition: there is room. */
void claims_add(struct claims *claims, const struct phys_range *range,
                enum handoff_region_type type);

/* Add every framebuffer of the list. */
void claims_add_framebuffers(struct claims *claims, const struct framebuffer_list *framebuffers);

/* Add the pages of the firmware's tables. Tables of unknown length are left out, and so are tables
 * beyond `limit_bytes`, the end of the direct map. */
void claims_add_tables(struct claims *claims, const struct firmware_tables *tables,
                       uint64_t limit_bytes);

#endif
