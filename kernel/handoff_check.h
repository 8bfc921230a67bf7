/*
 * handoff_check.h - refuse a bad handoff with a named reason.
 *
 * What the loader hands over is foreign until proven. handoff_check() proves magic, version, size,
 * checksum and every pointer, in an order in which nothing is read before it is known to be
 * readable; what it lets through is given as a struct handoff_view, and the rest of the kernel
 * uses that view alone.
 *
 * Pure: physical memory is reached at `direct_map_base + physical`, and a host test gives the base
 * of its own memory. Phase: the kernel's first act. Fuzzed by tests/fuzz/fuzz_handoff_check.c.
 * Catalogue group H. The bytes are specified in docs/HANDOFF.md.
 */
#ifndef KERNEL_HANDOFF_CHECK_H
#define KERNEL_HANDOFF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/region_list.h"
#include "shared/handoff.h"

/* Why a handoff was refused. Nothing of a refused handoff may be used: the kernel panics. */
enum handoff_check_status {
    HANDOFF_CHECK_OK = 0,
    HANDOFF_CHECK_POINTER_NULL,
    HANDOFF_CHECK_POINTER_MISALIGNED,
    HANDOFF_CHECK_POINTER_NON_CANONICAL,
    HANDOFF_CHECK_MAGIC,
    HANDOFF_CHECK_MAJOR_VERSION,
    HANDOFF_CHECK_SIZE, /* below version 1.0's, or above HANDOFF_CHECK_SIZE_MAX_BYTES */
    HANDOFF_CHECK_CHECKSUM,
    HANDOFF_CHECK_DIRECT_MAP, /* another base than the kernel's, or larger than its window */
    HANDOFF_CHECK_DATA_BLOCK, /* data_base/data_size: unaligned, empty, beyond the direct map, or
                                 the structure itself does not lie in it */
    HANDOFF_CHECK_REGIONS,    /* count or stride 0 or odd, or not inside the data block */
    HANDOFF_CHECK_REGIONS_NOT_NORMALISED,
    HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP, /* RAM that the direct map does not reach */
    HANDOFF_CHECK_DATA_REGION, /* the data block is not wholly in handoff-data regions */
    HANDOFF_CHECK_EFI_MAP,
    HANDOFF_CHECK_COMMAND_LINE, /* not inside the data block, or no NUL behind it */
    HANDOFF_CHECK_LOG,
    HANDOFF_CHECK_TIMELINE,
    HANDOFF_CHECK_KERNEL_IMAGE, /* unaligned, not in kernel-image regions, entry not inside */
    HANDOFF_CHECK_STACK,        /* unaligned, or not in stack regions */
    HANDOFF_CHECK_PAGE_TABLES,  /* unaligned, not in page-tables regions, root not inside */
    HANDOFF_CHECK_LOADER,       /* the loader's image: unaligned, or not in loader regions */
};

/* A constant English clause that says what is wrong. Never NULL. */
const char *handoff_check_text(enum handoff_check_status status);

/* A larger structure than this is not a newer minor version but garbage: minor versions append
 * fields, and a page is ten times what version 1.0 needs. The checksum reads the whole size, so
 * the limit also bounds what is read before the checksum is known. */
#define HANDOFF_CHECK_SIZE_MAX_BYTES UINT32_C(4096)

/* Why the framebuffer is ignored. Only a warning: there is always serial. */
enum handoff_framebuffer_status {
    HANDOFF_FRAMEBUFFER_OK = 0,
    HANDOFF_FRAMEBUFFER_ABSENT,   /* pixel format NONE */
    HANDOFF_FRAMEBUFFER_FORMAT,   /* unknown format, or depth or masks that do not fit it */
    HANDOFF_FRAMEBUFFER_GEOMETRY, /* zero width or height, short pitch, or more than its size */
    HANDOFF_FRAMEBUFFER_PLACE,    /* unaligned, wraps, or not wholly in framebuffer regions */
};

const char *handoff_framebuffer_text(enum handoff_framebuffer_status status);

/* A proven handoff: every pointer is readable for as long as the handoff data is not reclaimed. */
struct handoff_view {
    const struct handoff *handoff; /* fields beyond version 1.0 need a look at size_bytes */
    struct region_list regions;    /* normalised */
    const char *command_line;      /* NUL-terminated, never NULL */
    const char *log;               /* the loader's log: NUL-terminated, never NULL */
    const void *efi_map;           /* efi_map_size_bytes, a multiple of the descriptor size */
    const void *timeline;          /* timeline_count moments, timeline_stride_bytes apart */
    enum handoff_framebuffer_status framebuffer; /* use the framebuffer only if OK */
};

/* Prove the handoff at `handoff` (the value of RDI at entry).
 *   direct_map_base  where the kernel expects physical address 0: direct_map_base() of the levels
 *                    of page tables that are in force. It must be what the handoff says.
 * On any status but OK *ret_view is not written. */
enum handoff_check_status handoff_check(const void *handoff, uint64_t direct_map_base,
                                        struct handoff_view *ret_view)
    __attribute__((warn_unused_result));

/* The i-th moment of the timeline; its name is NUL-terminated (the check proves it).
 * Precondition: index < view->handoff->timeline_count. */
const struct handoff_moment *handoff_view_moment(const struct handoff_view *view, uint32_t index);

/* Why the handed-over temporary heap cannot be trusted. The caller decides what follows: the
 * fixed region inside the image (FALLBACK), or a panic with heap=strict. */
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
};

/* A constant English clause, for `reason=` in the log. Never NULL. */
const char *handoff_temp_heap_text(enum handoff_temp_heap_status status);

/* Judge temp_heap_base and temp_heap_size of a proven handoff. */
enum handoff_temp_heap_status handoff_check_temp_heap(const struct handoff_view *view)
    __attribute__((warn_unused_result));

#endif
