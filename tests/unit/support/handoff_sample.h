/*
 * handoff_sample.h - a good handoff, for tests that make one part of it bad. The only physical
 * memory is the page tables and the block of handoff data behind them. The address sanitizer finds
 * a read of other memory. The tables are real, and the state is that of a machine on which a loader
 * entered the kernel with this handoff.
 */
#ifndef TESTS_UNIT_SUPPORT_HANDOFF_SAMPLE_H
#define TESTS_UNIT_SUPPORT_HANDOFF_SAMPLE_H

#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/mm/layout.h"
#include "shared/handoff.h"
#include "shared/page_table.h"

/* The physical addresses. */
#define SAMPLE_TEMP_HEAP_BASE   UINT64_C(0x200000)
#define SAMPLE_TEMP_HEAP_SIZE   UINT64_C(0x100000)
#define SAMPLE_KERNEL_BASE      UINT64_C(0x300000)
#define SAMPLE_KERNEL_SIZE      UINT64_C(0x20000)
#define SAMPLE_STACK_BASE       UINT64_C(0x320000)
#define SAMPLE_STACK_SIZE       UINT64_C(0x10000)
#define SAMPLE_TABLES_BASE      UINT64_C(0x330000)
#define SAMPLE_TABLES_SIZE      UINT64_C(0x10000)
#define SAMPLE_DATA_BASE        (SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE)
#define SAMPLE_DATA_SIZE        UINT64_C(0x4000)
#define SAMPLE_USABLE_BASE      (SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE)
#define SAMPLE_USABLE_SIZE      UINT64_C(0x8000000)
#define SAMPLE_LOADER_BASE      (SAMPLE_USABLE_BASE + SAMPLE_USABLE_SIZE)
#define SAMPLE_LOADER_SIZE      UINT64_C(0x10000)
#define SAMPLE_RAM_END          UINT64_C(0x10000000) /* of the direct map */
#define SAMPLE_FRAMEBUFFER_BASE UINT64_C(0x80000000)
#define SAMPLE_FRAMEBUFFER_SIZE UINT64_C(0x300000)

/* Virtual. */
#define SAMPLE_ENTRY          (LAYOUT_KERNEL_IMAGE_BASE + 0x40)
#define SAMPLE_STACK_VIRTUAL  UINT64_C(0xffffff0000001000)
#define SAMPLE_LOADER_VIRTUAL UINT64_C(0xffffff0040000000)
#define SAMPLE_SEGMENT_COUNT  4

/* Offsets in the data block, behind the structure. */
#define SAMPLE_REGIONS_OFFSET      0x400
#define SAMPLE_FRAMEBUFFERS_OFFSET 0xe00
#define SAMPLE_TEMP_HEAPS_OFFSET   0xf00
#define SAMPLE_EFI_MAP_OFFSET      0x1000
#define SAMPLE_COMMAND_OFFSET      0x2000
#define SAMPLE_LOG_OFFSET          0x2100
#define SAMPLE_KERNEL_PATH_OFFSET  0x2200
#define SAMPLE_TIMELINE_OFFSET     0x3000

/* The rows: low RAM, heap, heap, kernel, stack, tables, data, RAM, loader, framebuffer. */
#define SAMPLE_REGION_COUNT 10
/* Larger than the struct, like the stride of a newer loader. */
#define SAMPLE_REGION_STRIDE_BYTES 56

struct handoff_sample {
    uint8_t *memory; /* physical SAMPLE_TABLES_BASE: the tables, then the data */
    uint8_t *data;   /* physical SAMPLE_DATA_BASE */
    struct handoff *handoff;
    struct virt_addr address; /* of the handoff */
    struct entry_state state;
    struct kernel_segment segments[SAMPLE_SEGMENT_COUNT];
    struct page_table table; /* in force */
};

/* Make a sample with four levels of page tables. */
void handoff_sample_create(struct handoff_sample *sample);
void handoff_sample_create_with_levels(struct handoff_sample *sample, unsigned levels);
void handoff_sample_destroy(struct handoff_sample *sample);

/* Map or unmap pages in the tables in force. Abort on a failure. */
void handoff_sample_map(struct handoff_sample *sample, uint64_t virtual, uint64_t physical,
                        uint64_t size_bytes, struct page_permissions permissions);
void handoff_sample_unmap(struct handoff_sample *sample, uint64_t virtual, uint64_t size_bytes);

/* Write all regions (again). */
void handoff_sample_write_regions(struct handoff_sample *sample);
struct handoff_temp_heap *handoff_sample_temp_heap(struct handoff_sample *sample);
struct handoff_framebuffer *handoff_sample_framebuffer(struct handoff_sample *sample);
/* Give a region another type, with its facts and its reuse. */
void handoff_sample_retype(struct handoff_sample *sample, uint32_t index, uint32_t type);
struct handoff_region *handoff_sample_region(struct handoff_sample *sample, uint32_t index);

/* Write the correct checksum. Precondition: size_bytes is inside of the data block. */
void handoff_sample_seal(struct handoff_sample *sample);

#endif
