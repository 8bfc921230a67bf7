/*
 * print_regions.h - the memory map in the log, stage [region]; `print-regions` on the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_REGIONS_H
#define KERNEL_DIAGNOSTICS_PRINT_REGIONS_H

#include "kernel/mm/region_list.h"

/* Log a line for each region, in the form that the simulator reads (scripts/simulate.sh), so that a
 * machine can be replayed from its log. */
void print_regions(const struct region_list *regions);

#endif
