/*
 * heap_setup.h - the permanent heap's configuration, from its settings.
 *
 * Phase: any.
 */
#ifndef KERNEL_MM_HEAP_SETUP_H
#define KERNEL_MM_HEAP_SETUP_H

#include "kernel/mm/heap/include/handoff/guarded.h"
#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap_policies.h"
#include "kernel/mm/heap_settings.h"

/* Storage for the heap's state: for any policy and every layer. */
struct heap_setup {
    union heap_policies_storage policy;
    struct heap_debug_storage debug;
    struct guarded_storage guarded;
};

/* Return the configuration for heap_initialise(), without secret and fault callback. `setup` must
 * outlive the heap. `guarded_pages` is used if settings.guarded_bytes is not 0. */
struct heap_configuration heap_setup_configure(struct heap_setup *setup,
                                               const struct heap_settings *settings,
                                               struct heap_page_source pages,
                                               struct guarded_pages guarded_pages);

#endif
