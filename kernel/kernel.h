/*
 * kernel.h - the state of which the kernel has one instance. kernel/core/cpu.h has the state of
 * each processor.
 *
 * The parts take their state as arguments. This struct holds the kernel's instances, and main.c has
 * the only one.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/handoff/handoff_view.h"
#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/heap_setup.h"
#include "kernel/mm/heap_window.h"
#include "kernel/mm/paging/runtime_space.h"
#include "kernel/core/power_acpi.h"
#include "kernel/core/timeline.h"
#include "kernel/core/timer.h"
#include "shared/text/framebuffer_text.h"
#include "shared/handoff.h"

/* text, rodata, data, symbols */
#define KERNEL_SEGMENT_COUNT 4

/* A 4K screen has 67 rows at scale 2. */
#define KERNEL_SCREEN_ROW_LIMIT 100

struct kernel {
    /* The handoff, validated. At first it points into the loader's block. boot_early_heap() makes
     * copies, so that the block can become free. */
    struct handoff handoff;
    struct handoff_view view;

    struct virt_addr direct_map_base; /* of the levels of page tables that the loader chose */

    struct timeline timeline;
    struct framebuffer_text screen;
    char screen_cells[FRAMEBUFFER_TEXT_COLUMN_LIMIT * KERNEL_SCREEN_ROW_LIMIT];
    bool has_screen;
    bool has_keyboard; /* PS/2 */
    bool shows_overview;

    struct early_heap early_heap;
    bool early_heap_is_fallback;
    uint64_t image_unmapped_bytes; /* of the fallback region, once the early heap is retired */

    struct frame_allocator frames;
    struct kernel_segment segments[KERNEL_SEGMENT_COUNT];
    struct kernel_layout layout;
    struct address_space address_space;
    struct timer timer;
    struct power_tables power_tables;
    uint64_t shoot_down_count; /* calls to drop translations on other CPUs */
    struct runtime_space runtime_space;
    struct heap_window heap_window;
    struct heap_setup heap_setup;
    struct heap *heap; /* NULL until boot_heap() */
};

#endif
