/*
 * kernel_model.h - the start of the kernel over fake RAM. The stages, their order and their lines
 * are those of kernel/boot/. All code that they call is the production code. Two things are
 * different in a process. The tables are never live, so the audit walks them at their physical
 * place. The heap's window is at an address of the host, and its pages are the frames that the
 * simulated tables map.
 */
#ifndef HOST_SIMULATOR_KERNEL_MODEL_H
#define HOST_SIMULATOR_KERNEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/handoff/handoff_view.h"
#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "kernel/mm/heap_setup.h"
#include "kernel/mm/heap_window.h"
#include "kernel/mm/paging/page_audit.h"
#include "kernel/core/timeline.h"
#include "host/simulator/fake_ram.h"

/* text, rodata, data, symbols; and the rest of data behind the fallback region, once that is free.
 */
#define KERNEL_MODEL_SEGMENT_COUNT 5
#define KERNEL_MODEL_STACK_COUNT   4

struct kernel_model {
    /* From the caller. */
    struct fake_ram *ram;
    struct page_table_features features;
    const struct heap_policy *heap_policy;
    bool heap_debug; /* as heap_debug=on */
    uint64_t started_ns;

    /* The same as in struct kernel. */
    struct handoff handoff;
    struct handoff_view view;
    struct timeline timeline;
    struct early_heap early_heap;
    bool early_heap_is_fallback;
    struct frame_allocator frames;
    struct frame_reserve frame_reserve;
    struct kernel_segment segments[KERNEL_MODEL_SEGMENT_COUNT];
    struct kernel_layout layout;
    struct address_space address_space;
    struct heap_window heap_window;
    struct heap_setup heap_setup;
    struct heap *heap;

    uint8_t *heap_base; /* the windows on the host */
    uint8_t *guarded_base;
    struct page_audit_result audit;

    /* For the ownership of memory, in frames. */
    uint64_t free_at_start_count;      /* before anything was taken or reclaimed */
    uint64_t reclaimed_frame_count;    /* of the loader's memory */
    uint64_t returned_frame_count;     /* of the early heap */
    uint64_t refused_heap_frame_count; /* of a temporary heap that was refused */
    uint64_t load_frame_count;         /* held by a load now */
    bool is_ready;
};

/* Run the stages from the kernel's first instruction to [ready]. `handoff_address` is physical. If
 * the kernel would panic, this panics (panic_host.h). */
void kernel_model_run(struct kernel_model *kernel, uint64_t handoff_address);

/* Audit the current tables. Return true if they break no rule; *ret_result has the details. */
bool kernel_model_audit(const struct kernel_model *kernel, struct page_audit_result *ret_result);

#endif
