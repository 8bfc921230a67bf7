/*
 * handoff_view.h - the view of a checked handoff that the rest of the kernel uses.
 *
 * Pure. Phase: after handoff_check().
 */
#ifndef KERNEL_HANDOFF_HANDOFF_VIEW_H
#define KERNEL_HANDOFF_HANDOFF_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/handoff/handoff_framebuffer.h"
#include "kernel/mm/region_list.h"
#include "shared/handoff.h"

/* Every pointer is readable until the handoff data is reclaimed. */
struct handoff_view {
    const struct handoff *handoff; /* check size_bytes before a field newer than version 2.0 */
    struct region_list regions;    /* normalised */
    const char *command_line;      /* NUL-terminated, never NULL */
    const char *log;               /* the loader's log: NUL-terminated, never NULL */
    const void *efi_map;           /* efi_map_size_bytes, a multiple of the descriptor size */
    const void *timeline;          /* handoff->timeline has their number */
    const void *modules;           /* handoff->modules has their number */
    struct handoff_temp_heap first_temp_heap; /* of temp_heaps; both 0 if the array is empty */
    enum handoff_framebuffer_status framebuffer_status; /* use the framebuffer only if OK */
    struct handoff_framebuffer framebuffer;             /* the first; all zero without one */
};

/* Return moment number `index` of the timeline. Its name is NUL-terminated (the check guarantees
 * it). Precondition: index < view->handoff->timeline.count. */
const struct handoff_moment *handoff_view_moment(const struct handoff_view *view, uint32_t index);

/* Return module number `index`. Its texts are NUL-terminated. Precondition: index <
 * view->handoff->modules.count. */
const struct handoff_module *handoff_view_module(const struct handoff_view *view, uint32_t index);

/* Return the number of processors that wait at their mailboxes. This kernel runs on one processor. The
 * others stay where they wait: nothing reuses their memory. Precondition: the handoff data is not
 * reclaimed. */
uint32_t handoff_view_waiting_count(const struct handoff_view *view,
                                    struct virt_addr direct_map_base);

/* Return true if the random seed may be used: its source is known, and it is not all zero. */
bool handoff_view_has_random_seed(const struct handoff_view *view);

#endif
