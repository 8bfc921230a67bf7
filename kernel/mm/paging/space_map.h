/*
 * space_map.h - a description of an address space in about thirty lines.
 *
 * It comes from the tables themselves, with names from the address space's areas and guards. The
 * form of the lines is in docs/LOG.md, stage [map]. Pure. Phase: any time after the build.
 */
#ifndef KERNEL_MM_PAGING_SPACE_MAP_H
#define KERNEL_MM_PAGING_SPACE_MAP_H

#include <stddef.h>

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/paging/page_runs.h"
#include "shared/range.h"

/* Addresses with one kind of mapping and one owner, or a guard that stays unmapped. */
struct space_map_line {
    struct virt_range virtual;
    const struct page_run *run;              /* NULL for a guard */
    const struct address_space_guard *guard; /* NULL for a run */
};

/* Call `visit` for every line in order of address. The line is valid during the call. */
void space_map_walk(const struct address_space *space,
                    void (*visit)(void *context, const struct space_map_line *line), void *context);

/* Enough for each line. */
#define SPACE_MAP_LINE_CAPACITY_BYTES 256

/* Write a line as text, NUL-terminated. */
void space_map_format(const struct space_map_line *line, char *text, size_t capacity_bytes);

#endif
