/*
 * region_list.h - a read-only view of the handoff's regions, one every `stride_bytes`.
 *
 * A newer loader may append fields to struct handoff_region, so the rows are reached by the stride
 * and never by array indexing.
 *
 * A list is *normalised* when its rows are sorted by base, disjoint, page-aligned, never empty,
 * never wrap and end at or below 2^52. The loader promises it, and handoff_check.h checks it. All
 * later code relies on it.
 */
#ifndef KERNEL_MM_REGION_LIST_H
#define KERNEL_MM_REGION_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

struct region_list {
    const void *first; /* aligned for struct handoff_region */
    uint32_t count;
    uint32_t stride_bytes; /* at least sizeof(struct handoff_region), a multiple of 8 */
};

/* One past the highest physical address that x86-64 can name (Intel SDM Vol. 3A, 4.1.4). */
#define REGION_LIST_PHYSICAL_LIMIT (UINT64_C(1) << 52)

/* Precondition: index < list->count. */
const struct handoff_region *region_list_at(const struct region_list *list, uint32_t index);

/* Precondition: the list is normalised, so that nothing wraps. */
struct phys_range region_list_range(const struct region_list *list, uint32_t index);

/* Return true if the rows are normalised (see above). An empty list is normalised. */
bool region_list_is_normalised(const struct region_list *list);

/* Return true if `range` is not empty and every byte of it lies in rows of this type. The range may
 * span several rows that touch. Precondition: the list is normalised. */
bool region_list_covers(const struct region_list *list, struct phys_range range, uint32_t type);

/* Return the size of all rows of this type. Precondition: the list is normalised. */
uint64_t region_list_bytes_of_type(const struct region_list *list, uint32_t type);

/* Return true if every byte of `range` lies in rows of RAM (region_is_ram), which the direct map
 * covers. Preconditions: the list is normalised, and `range` is not empty. */
bool region_list_is_ram(const struct region_list *list, struct phys_range range);

#endif
