/*
 * print_map.h - what is mapped, and how, in the log, stage [map]; `print-map` on the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_MAP_H
#define KERNEL_DIAGNOSTICS_PRINT_MAP_H

#include "kernel/mm/paging/address_space.h"

/* Log a line for each run of addresses that are mapped alike, and the sum, which says audit=passed.
 * Precondition: an audit of the space has just passed. */
void print_map(const struct address_space *space);

#endif
