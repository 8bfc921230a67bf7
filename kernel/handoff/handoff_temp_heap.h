/*
 * handoff_temp_heap.h - check that the temporary heap of the handoff can be used.
 *
 * Pure. Phase: after handoff_check().
 */
#ifndef KERNEL_HANDOFF_HANDOFF_TEMP_HEAP_H
#define KERNEL_HANDOFF_HANDOFF_TEMP_HEAP_H

#include "kernel/handoff/handoff_view.h"

/* The reason for a refusal. The caller uses the fallback region inside the image, or panics with
 * heap=strict. */
enum handoff_temp_heap_status {
    HANDOFF_TEMP_HEAP_OK = 0,
    HANDOFF_TEMP_HEAP_ABSENT,         /* both fields 0: the loader could not reserve it */
    HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO, /* exactly one field 0 */
    HANDOFF_TEMP_HEAP_FRAME_ZERO,     /* includes physical frame 0 */
    HANDOFF_TEMP_HEAP_UNALIGNED,      /* base not a multiple of the page */
    HANDOFF_TEMP_HEAP_WRAPS,
    HANDOFF_TEMP_HEAP_TOO_SMALL,       /* below EARLY_HEAP_SIZE_MIN_BYTES */
    HANDOFF_TEMP_HEAP_TOO_LARGE,       /* above EARLY_HEAP_SIZE_MAX_BYTES */
    HANDOFF_TEMP_HEAP_OVERLAPS,        /* kernel, handoff data, page tables, stack, framebuffer */
    HANDOFF_TEMP_HEAP_NOT_LOADER_DATA, /* not wholly EfiLoaderData that is marked temp-heap */
    HANDOFF_TEMP_HEAP_NOT_THE_FIRST,   /* the first element of temp_heaps is another one */
};

/* Return a constant English clause, for `reason=` in the log. Never NULL. */
const char *handoff_temp_heap_text(enum handoff_temp_heap_status status);

/* Check temp_heap_base, temp_heap_size and the first element of temp_heaps of a checked handoff. */
enum handoff_temp_heap_status handoff_temp_heap_check(const struct handoff_view *view)
    __attribute__((warn_unused_result));

#endif
