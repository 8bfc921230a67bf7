/*
 * handoff_build.h - the block of pages that the kernel is given: struct handoff and everything that
 * it points to.
 *
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   | handoff | timeline | temp heap,  | command | log | EFI map | regions | scratch |
 *   |         |          | framebuffer,| line,   |     | + slack |         |         |
 *   |         |          | tables      | path    |     |         |         |         |
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   ^ base, page-aligned; each part begins at a multiple of 16
 *
 * It is reserved while the firmware is there, with slack for a memory map that grows, because after
 * ExitBootServices() nothing can be allocated. The scratch is for the conversion of the map.
 */
#ifndef BOOTLOADER_HANDOFF_BUILD_H
#define BOOTLOADER_HANDOFF_BUILD_H

#include "bootloader/firmware/console.h"
#include "bootloader/firmware/exit.h"
#include "bootloader/firmware/kernel_image.h"
#include "bootloader/firmware/loader_image.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/firmware/platform.h"
#include "bootloader/pure/table_pool.h"
#include "bootloader/firmware/temp_heap.h"
#include "bootloader/timeline.h"

struct handoff_block {
    uint64_t base;
    uint64_t size_bytes;
    struct handoff *handoff;
    struct handoff_moment *timeline;
    struct handoff_temp_heap *temp_heaps;
    struct handoff_framebuffer *framebuffers;
    struct handoff_firmware_table *firmware_tables;
    char *command_line;
    char *kernel_path;
    char *log;
    struct exit_map map; /* its buffer is the part for the EFI map */
    struct handoff_region *regions;
    size_t region_capacity;
    size_t region_count;
    uint64_t *scratch;
    size_t scratch_count; /* 64-bit words */
};

/* What the loader has placed in memory. */
struct handoff_placed {
    const struct pages *pages;
    const struct loader_image *loader_image;
    const struct platform *platform; /* the framebuffer, the firmware's tables */
};

/* Everything else that goes into the structure. */
struct handoff_sources {
    const struct firmware *firmware;
    const struct console *console;
    const struct timeline *timeline;
    const char *command_line;
    const char *kernel_path;
    const struct kernel_image *kernel;
    const struct temp_heap *temp_heap;
    const struct loader_image *loader_image;
    const struct platform *platform;
    const struct table_pool *tables;
    uint32_t machine;        /* HANDOFF_MACHINE_* */
    union handoff_arch arch; /* the machine's own part */
    unsigned levels;         /* of page tables */
    uint64_t stack_physical_base;
    uint64_t processor_start_base; /* 0 if there is none */
    uint64_t direct_map_size_bytes;
};

/* Reserve the block and read a first memory map into it. The map may grow by the reservation
 * itself; a firmware whose map outgrows the slack several times over is refused.
 * Failures: MEMORY_MAP, OUT_OF_MEMORY, BAD_ALLOCATION. */
enum loader_error handoff_build_reserve(struct pages *pages, struct handoff_block *ret_block,
                                        struct loader_failure *failure)
    __attribute__((warn_unused_result));

/* Convert the map in the block into its regions, with what the loader has placed laid over it. RAM
 * that the direct map of `levels` of page tables does not reach becomes reserved.
 * What was wrong with the map is logged if `console` is not NULL. Works before and after exit.
 * Failures: MEMORY_MAP; UNUSABLE_BLOCK (by the map, something that was placed does not lie in
 * write-back RAM, so the direct map would not have it). */
enum loader_error handoff_build_regions(struct handoff_block *block,
                                        const struct handoff_placed *placed, unsigned levels,
                                        struct console *console, struct loader_failure *failure)
    __attribute__((warn_unused_result));

/* Write the structure with its checksum, and copy log, command line and timeline: the last step
 * before the kernel. Precondition: handoff_build_regions() on the final map. */
void handoff_build_finish(struct handoff_block *block, const struct handoff_sources *sources);

#endif
