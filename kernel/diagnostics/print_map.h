/*
 * print_map.h - print all mappings to the log, stage [map]; `print-map` on the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_MAP_H
#define KERNEL_DIAGNOSTICS_PRINT_MAP_H

#include "kernel/mm/paging/address_space.h"

/* Log a line for each run of addresses with the same mapping, and the sum, which says audit=passed.
 * Precondition: an audit of the space has just passed. */
void print_map(const struct address_space *space);

/* Log the lines only. */
void print_map_lines(const struct address_space *space);

#endif
