/*
 * memory_map.h - convert the firmware's memory map to sorted, disjoint regions with types.
 *
 * The firmware's map is untrusted. It is unsorted. Rows may be empty, wrap, overlap, or be
 * unaligned, and have unknown types and attributes. The stride is larger than the struct (UEFI
 * 2.10, section 7.2.3, GetMemoryMap). The result is *normalised*: sorted by base, disjoint,
 * page-aligned, maximal, without empty or wrapping regions. All later code relies on that.
 *
 * It runs after the exit of boot services, so it allocates nothing: the caller provides all memory.
 * Pure. Fuzzed by tests/fuzz/fuzz_memory_map.c. Catalogue group M.
 */
#ifndef BOOTLOADER_PURE_MEMORY_MAP_H
#define BOOTLOADER_PURE_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

/* No CPU has more than 52 bits of physical address (Intel SDM Vol. 3A, 4.1.4; Arm ARM, D8.1). */
#define MEMORY_MAP_PHYSICAL_LIMIT_BYTES (UINT64_C(1) << 52)

/* UEFI 2.10, 7.2.3: EFI_MEMORY_DESCRIPTOR. The real stride is DescriptorSize, usually 48. */
struct memory_map_descriptor {
    uint32_t type;
    uint32_t padding;
    uint64_t physical_start;
    uint64_t virtual_start;
    uint64_t page_count;
    uint64_t attribute;
};

enum memory_map_status {
    MEMORY_MAP_OK = 0,
    MEMORY_MAP_EMPTY,        /* no descriptor at all, or no row survived */
    MEMORY_MAP_BAD_STRIDE,   /* below 40, not a multiple of 8, or the size is not a multiple */
    MEMORY_MAP_TOO_MANY_ROWS /* the output or the work space is too small: nothing is truncated.
                                Also for 2^24 rows and claims together */
};

const char *memory_map_status_text(enum memory_map_status status);

/* A claim: a range that the loader uses, with the region type that it gets instead of the
 * firmware's. The range is page-aligned and ends at or below 2^52. An empty range claims nothing.
 */
struct memory_map_claim {
    struct phys_range range;
    enum handoff_region_type type;
};

/* The faults of rows and claims, for warnings. */
struct memory_map_report {
    uint32_t dropped_empty;
    uint32_t dropped_wrapping;    /* wraps, or lies above 52 bits */
    uint32_t shrunk_unaligned;    /* free RAM shrinks to whole pages, everything else grows */
    uint32_t overlapping;         /* rows that begin inside one with another meaning */
    uint32_t unknown_types;       /* reserved */
    uint32_t unusable_attributes; /* RAM without WB, or that could become free but has SP or
                                     RUNTIME: reserved */
    bool attributes_assumed;      /* no row has attributes, so all of them are taken as WB */
    uint64_t unreachable_bytes;   /* of RAM beyond ram_limit_bytes: reserved */
    /* The first piece of a claim of RAM that the rows contradict: they have a type of higher
     * precedence there, or no row. If there is no such claim, its range is empty. Where a framebuffer
     * lies over the claim, nothing is reported (framebuffer_conflict.h). */
    struct memory_map_claim unproven_claim;
};

/* The input of the conversion. */
struct memory_map_request {
    const void *map; /* the firmware's */
    uint64_t size_bytes;
    uint64_t stride_bytes;    /* from one row to the next */
    uint64_t ram_limit_bytes; /* RAM from here on is reserved: nothing can reach it */
    const struct memory_map_claim *claims;
    size_t claim_count;
};

/* The memory for the conversion. */
struct memory_map_room {
    uint64_t *work;    /* scratch */
    size_t work_count; /* words of 64 bits; 2 × (rows + claims) are needed */
    struct handoff_region *regions;
    size_t region_capacity; /* 2 × (rows + claims) + 2 always suffice */
};

struct memory_map_result {
    size_t region_count; /* in the room's `regions` */
    struct memory_map_report report;
};

/* Convert the map. In every overlap of rows and claims, the higher precedence (shared/region.h)
 * wins, but FIRMWARE_TABLES wins only over reserved rows. If no row has an attribute, the firmware does
 * not fill the field, and rows count as write-back. A region keeps efi_type and attributes of
 * the firmware's row. A claim without a row gets HANDOFF_EFI_TYPE_NONE. On failure *ret_result is
 * not written, and the content of the room is undefined. */
enum memory_map_status memory_map_convert(const struct memory_map_request *request,
                                          const struct memory_map_room *room,
                                          struct memory_map_result *ret_result)
    __attribute__((warn_unused_result));

#endif
