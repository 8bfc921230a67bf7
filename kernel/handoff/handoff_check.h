/*
 * handoff_check.h - refuse a bad handoff with a named reason.
 *
 * What the loader hands over is foreign until proven. handoff_check() proves magic, version, size,
 * checksum and every pointer, and holds all of it against what the kernel knows by itself
 * (kernel/handoff/entry_state.h): the page tables in force, which it walks, the stack in use, the
 * image as it was linked. What it lets through is given as a struct handoff_view, and the rest of
 * the kernel uses that view only.
 *
 * The order is the point: nothing is read before all that can be known of its place is proven. Two
 * things are read on the loader's word only, because the proof of everything else is made with
 * them: the page with the structure, and the page tables. Where these are not mapped the read
 * faults, and the loader's handlers name the fault (docs/HANDOFF.md, "The checks of this project's
 * kernel").
 *
 * Pure: physical memory is reached at `memory_base + physical`, and a host test gives the base of
 * its own memory. Phase: the kernel's first act. Fuzzed by tests/fuzz/fuzz_handoff_check.c.
 * Catalogue group H. The bytes are specified in docs/HANDOFF.md.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_CHECK_H
#define KERNEL_HANDOFF_HANDOFF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/mm/region_list.h"
#include "shared/handoff.h"

/* Why a handoff was refused. Nothing of a refused handoff may be used: the kernel panics. */
enum handoff_check_status {
    HANDOFF_CHECK_OK = 0,
    HANDOFF_CHECK_POINTER_NULL,
    HANDOFF_CHECK_POINTER_MISALIGNED, /* not a multiple of the page */
    HANDOFF_CHECK_POINTER_NON_CANONICAL,
    HANDOFF_CHECK_POINTER_OUTSIDE, /* not in the direct map's window */
    HANDOFF_CHECK_MAGIC,
    HANDOFF_CHECK_MAJOR_VERSION,
    HANDOFF_CHECK_SIZE, /* below version 2.0's, or above HANDOFF_CHECK_SIZE_MAX_BYTES */
    HANDOFF_CHECK_CHECKSUM,
    HANDOFF_CHECK_MACHINE,         /* made for another kind of CPU */
    HANDOFF_CHECK_LOADER_NAME,     /* no NUL in it */
    HANDOFF_CHECK_DIRECT_MAP,      /* another base than the kernel's, or larger than its window */
    HANDOFF_CHECK_FLAGS,           /* NX, 1 GiB pages or levels differ from the CPU's */
    HANDOFF_CHECK_PAGE_TABLE_ROOT, /* low bits set, beyond the CPU's width, or not the root in force
                                    */
    HANDOFF_CHECK_PAGE_TABLES,     /* unaligned, empty, beyond the direct map, root not inside */
    HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED, /* the tables do not map themselves in the direct map, or
                                             one of them lies outside of their block */
    HANDOFF_CHECK_DATA_BLOCK, /* data_base/data_size: unaligned, empty, beyond the direct map, or
                                 the structure itself does not lie in it */
    HANDOFF_CHECK_DATA_NOT_MAPPED, /* a page of it is not in the direct map */
    HANDOFF_CHECK_REGIONS,         /* count or stride 0 or odd, or not inside the data block */
    HANDOFF_CHECK_REGIONS_NOT_NORMALISED,
    HANDOFF_CHECK_REGIONS_FACTS,              /* facts that contradict each other, or the type */
    HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP, /* RAM beyond direct_map_size_bytes */
    HANDOFF_CHECK_REGIONS_NOT_MAPPED, /* RAM that is not mapped there, or elsewhere, or otherwise */
    HANDOFF_CHECK_DATA_REGION,        /* the data block is not wholly in handoff-data regions */
    HANDOFF_CHECK_EFI_MAP,
    HANDOFF_CHECK_COMMAND_LINE, /* not inside the data block, or no NUL behind it */
    HANDOFF_CHECK_LOG,
    HANDOFF_CHECK_KERNEL_PATH,
    HANDOFF_CHECK_TIMELINE,
    HANDOFF_CHECK_ARRAYS, /* another array: its stride is too short, or not inside the data block */
    HANDOFF_CHECK_KERNEL_BASE,       /* another virtual base than the linker's */
    HANDOFF_CHECK_KERNEL_SIZE,       /* another size than the linker's */
    HANDOFF_CHECK_KERNEL_ENTRY,      /* another entry than the linker's */
    HANDOFF_CHECK_KERNEL_IMAGE,      /* unaligned, wraps, or not in kernel-image regions */
    HANDOFF_CHECK_KERNEL_NOT_MAPPED, /* a segment is elsewhere, or has other permissions */
    HANDOFF_CHECK_STACK,             /* unaligned, not in the upper half, or not in stack regions */
    HANDOFF_CHECK_STACK_POINTER,     /* the stack in use is another one */
    HANDOFF_CHECK_STACK_NOT_MAPPED,  /* a page of it is elsewhere, or has other permissions */
    HANDOFF_CHECK_STACK_GUARD,       /* the page below it is mapped */
    HANDOFF_CHECK_PAGE_TABLES_REGION, /* the page tables are not in page-tables regions */
    HANDOFF_CHECK_LOADER, /* its image: unaligned, wraps, or neither in loader regions nor in low
                             memory */
    HANDOFF_CHECK_DESCRIPTOR_TABLES, /* GDT or IDT are not in the loader's image */
    HANDOFF_CHECK_PROCESSOR_START,   /* unaligned, not below 1 MiB, not in processor-start regions,
                                        or only one of base and size is 0 */
    HANDOFF_CHECK_STRAY_REGION, /* a region of kernel, stack, tables or data beside its block */
};

/* A constant English clause that says what is wrong. Never NULL. */
const char *handoff_check_text(enum handoff_check_status status);

/* A larger structure than this is not a newer minor version but garbage: minor versions append
 * fields, and a page is five times what version 2.0 needs. The checksum reads the whole size, so
 * the limit also bounds what is read before the checksum is known. */
#define HANDOFF_CHECK_SIZE_MAX_BYTES UINT32_C(4096)

/* Why the framebuffer is ignored. Only a warning: there is always serial. */
enum handoff_framebuffer_status {
    HANDOFF_FRAMEBUFFER_OK = 0,
    HANDOFF_FRAMEBUFFER_ABSENT,     /* the array is empty */
    HANDOFF_FRAMEBUFFER_FORMAT,     /* unknown format, or depth or masks that do not fit it */
    HANDOFF_FRAMEBUFFER_GEOMETRY,   /* zero width or height, short pitch, or more than its size */
    HANDOFF_FRAMEBUFFER_PLACE,      /* unaligned, wraps, or not wholly in framebuffer regions */
    HANDOFF_FRAMEBUFFER_NOT_MAPPED, /* not in the direct map, or as RAM is (write-back) */
};

const char *handoff_framebuffer_text(enum handoff_framebuffer_status status);

/* A proven handoff: every pointer is readable for as long as the handoff data is not reclaimed. */
struct handoff_view {
    const struct handoff *handoff; /* fields beyond version 2.0 need a look at size_bytes */
    struct region_list regions;    /* normalised */
    const char *command_line;      /* NUL-terminated, never NULL */
    const char *log;               /* the loader's log: NUL-terminated, never NULL */
    const void *efi_map;           /* efi_map_size_bytes, a multiple of the descriptor size */
    const void *timeline;          /* handoff->timeline says how many moments */
    struct handoff_temp_heap first_temp_heap; /* of temp_heaps; both 0 if the array is empty */
    enum handoff_framebuffer_status framebuffer_status; /* use the framebuffer only if OK */
    struct handoff_framebuffer framebuffer;             /* the first; all zero if there is none */
};

/* Prove the handoff at virtual address `address` (the argument of the kernel's entry), as a loader
 * made it that entered the kernel in this state. On any status but OK *ret_view is not written. */
enum handoff_check_status handoff_check(uint64_t address, const struct entry_state *state,
                                        struct handoff_view *ret_view)
    __attribute__((warn_unused_result));

/* The two numbers of a refusal that compares one field with what the kernel knows by itself. False,
 * and nothing written, for every other reason. Precondition: handoff_check() gave this status. */
bool handoff_check_numbers(uint64_t address, const struct entry_state *state,
                           enum handoff_check_status status, uint64_t *ret_handed_over,
                           uint64_t *ret_known);

/* The framebuffer on which a refusal can be shown, on a PC without a serial port. False, and
 * *ret_framebuffer not written, unless the structure's checksum holds, its page tables are the ones
 * in force, and these map a framebuffer of these numbers with the memory type of one. */
bool handoff_check_screen(uint64_t address, const struct entry_state *state,
                          struct handoff_framebuffer *ret_framebuffer)
    __attribute__((warn_unused_result));

/* True if the random seed may be used: its source is known, and it is not all zero. Precondition:
 * the handoff is proven. */
bool handoff_has_random_seed(const struct handoff *handoff);

/* The i-th moment of the timeline; its name is NUL-terminated (the check proves it).
 * Precondition: index < view->handoff->timeline.count. */
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
    HANDOFF_TEMP_HEAP_NOT_THE_FIRST,   /* the first element of temp_heaps is another one */
};

/* A constant English clause, for `reason=` in the log. Never NULL. */
const char *handoff_temp_heap_text(enum handoff_temp_heap_status status);

/* Judge temp_heap_base, temp_heap_size and the first element of temp_heaps of a proven handoff. */
enum handoff_temp_heap_status handoff_check_temp_heap(const struct handoff_view *view)
    __attribute__((warn_unused_result));

#endif
