/*
 * heap_window.h - the kernel heap's page source: two windows of addresses, mapped lazily.
 *
 *   base - page    base                 base + end_bytes          base + limit_bytes
 *   | guard page | mapped, rw-, never executable | not mapped yet      | guard page |
 *                    except absent pages    window_bytes ^ moves in steps
 *
 * Absent pages are free memory of the heap whose frames were given back (discard). The heap maps
 * them again before it touches them (restore).
 *
 * The second window belongs to the guarded layer (kernel/mm/heap/include/handoff/guarded.h), which
 * maps and unmaps pages anywhere in it. It also has an unmapped page before and behind it. One
 * limit holds for the mapped bytes of both windows together.
 *
 * A growth or a restore allocates all frames and tables before the heap uses any of them. If one is
 * missing, the others are freed and nothing has changed.
 *
 * Phase: after the address space's tables are live (before that only under host tests).
 * Concurrency: the caller serialises.
 */
#ifndef KERNEL_MM_HEAP_WINDOW_H
#define KERNEL_MM_HEAP_WINDOW_H

#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/heap/include/handoff/guarded.h"
#include "kernel/mm/heap_settings.h"
#include "shared/address.h"

struct heap_window {
    struct address_space *space;
    struct virt_addr base;
    uint64_t step_bytes;
    uint64_t limit_bytes;
    uint64_t window_bytes; /* this much may be mapped before the next step */
    uint64_t end_bytes;    /* of the heap */
    uint64_t mapped_bytes; /* end_bytes without absent pages */

    struct virt_addr guarded_base;
    uint64_t guarded_bytes; /* of addresses; 0 for no guarded heap */
    uint64_t guarded_mapped_bytes;
};

/* Initialise empty windows at `settings.base` and `settings.guarded_base`. Nothing is mapped yet.
 * Register the guard pages before and behind them. `space` must outlive the window. */
void heap_window_initialise(struct heap_window *ret_window, struct address_space *space,
                            const struct heap_settings *settings);

/* Return how many bytes both windows have mapped. */
uint64_t heap_window_mapped_bytes(const struct heap_window *window);

/* Return the callbacks for heap_configuration.pages. The window must outlive the heap. */
struct heap_page_source heap_window_page_source(struct heap_window *window);

/* The same for guarded_configuration.pages. */
struct guarded_pages heap_window_guarded_pages(struct heap_window *window);

#endif
