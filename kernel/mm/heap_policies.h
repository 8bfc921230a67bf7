/*
 * heap_policies.h - find a heap policy by its name.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_H
#define KERNEL_MM_HEAP_POLICIES_H

#include "kernel/mm/heap/include/handoff/heap_best_fit.h"
#include "kernel/mm/heap/include/handoff/heap_bump.h"
#include "kernel/mm/heap/include/handoff/heap_fast.h"
#include "kernel/mm/heap/include/handoff/heap_first_fit.h"

/* Return the policy with this name ("bump", "first-fit", "best-fit", "fast"), or NULL. */
const struct heap_policy *heap_policies_find(const char *name);

/* Storage for a heap of any policy. */
union heap_policies_storage {
    struct heap_bump_storage bump;
    struct heap_first_fit_storage first_fit;
    struct heap_best_fit_storage best_fit;
    struct heap_fast_storage fast;
};

#endif
