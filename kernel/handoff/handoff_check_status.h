/*
 * handoff_check_status.h - the reasons for which a handoff is refused.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_CHECK_STATUS_H
#define KERNEL_HANDOFF_HANDOFF_CHECK_STATUS_H

#include <stdint.h>

/* The reason for a refusal. No part of a refused handoff may be used: the kernel panics. */
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
    HANDOFF_CHECK_FLAGS,           /* a flag and the state of its CPU feature disagree */
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
    HANDOFF_CHECK_KERNEL_SLIDE,      /* not the distance from the link address */
    HANDOFF_CHECK_KERNEL_IMAGE,      /* unaligned, wraps, or not in kernel-image regions */
    HANDOFF_CHECK_KERNEL_NOT_MAPPED, /* a segment is elsewhere, or has other permissions */
    HANDOFF_CHECK_STACK,             /* unaligned, not in the upper half, or not in stack regions */
    HANDOFF_CHECK_STACK_POINTER,     /* the stack in use is another one */
    HANDOFF_CHECK_STACK_NOT_MAPPED,  /* a page of it is elsewhere, or has other permissions */
    HANDOFF_CHECK_STACK_GUARD,       /* the page below it is mapped */
    HANDOFF_CHECK_PAGE_TABLES_REGION, /* the page tables are not in page-tables regions */
    HANDOFF_CHECK_LOADER, /* its image: unaligned, wraps, or neither in loader regions nor in low
                             memory */
    HANDOFF_CHECK_CPU_TABLES,      /* a table that the CPU reads by itself is not in the loader's
                                      image */
    HANDOFF_CHECK_PROCESSOR_START, /* unaligned, not below 1 MiB, not in processor-start regions,
                                      or only one of base and size is 0 */
    HANDOFF_CHECK_BOOT_RECORD,     /* unaligned, below two pages, not in boot-record regions, or
                                      only one of base and size is 0 */
    HANDOFF_CHECK_KERNEL_SYMBOLS,  /* a bad stride, or not in kernel-symbols regions */
    HANDOFF_CHECK_PARKING,      /* unaligned, not in parking regions, or only one of base and size
                                      is 0 */
    HANDOFF_CHECK_STRAY_REGION, /* a region of kernel, stack, tables, data or modules beside its
                                      block */
    HANDOFF_CHECK_TEMP_HEAPS,   /* a further heap: unaligned, empty, not in temp-heap regions, or
                                      over another */
    HANDOFF_CHECK_MODULES,      /* too many, or one of them: unaligned, empty, wraps, not in module
                                      regions, or over another */
    HANDOFF_CHECK_MODULE_TEXTS, /* not inside the data block, or no NUL behind it */
};

/* Return a constant English clause that names the mistake. Never NULL. */
const char *handoff_check_status_text(enum handoff_check_status status);

/* A structure above this size is invalid, not a newer minor version: minor versions append fields,
 * and a page is five times the size of version 2.0. The checksum reads the whole size, so the limit
 * also bounds the bytes that are read before the checksum is known. */
#define HANDOFF_CHECK_SIZE_MAX_BYTES UINT32_C(4096)

#endif
