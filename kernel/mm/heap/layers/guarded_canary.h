/*
 * guarded_canary.h - the bytes of a guarded block's pages that are not the block's.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_CANARY_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_CANARY_H

#include "kernel/mm/heap/layers/guarded_state.h"

/* The canary of a heap with that secret. */
uint64_t guarded_canary_for(uint64_t secret);

/* Lay them on both sides of a block, or behind it only. */
void guarded_canary_lay(const struct guarded *guarded, const struct guarded_record *record);
void guarded_canary_lay_behind(const struct guarded *guarded, const struct guarded_record *record);

/* NULL, or which side of a live block was written to. */
const char *guarded_canary_broken_side(const struct guarded *guarded,
                                       const struct guarded_record *record);

#endif
