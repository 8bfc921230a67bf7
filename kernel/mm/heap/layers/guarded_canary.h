/*
 * guarded_canary.h - the canaries on both sides of a guarded block, which fill the rest of its
 * pages.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_CANARY_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_CANARY_H

#include "kernel/mm/heap/layers/guarded_state.h"

/* Return the canary of a heap with this secret. */
uint64_t guarded_canary_for(uint64_t secret);

/* Write the canaries on both sides of a block, or only behind it. */
void guarded_canary_lay(const struct guarded *guarded, const struct guarded_record *record);
void guarded_canary_lay_behind(const struct guarded *guarded, const struct guarded_record *record);

/* Check the canaries of a live block. Return NULL, or a text that names the side that was
 * overwritten. */
const char *guarded_canary_broken_side(const struct guarded *guarded,
                                       const struct guarded_record *record);

#endif
