/*
 * measure.h - the cost of the memory stack's calls on this machine, with `measure` on the command
 * line.
 *
 * In ticks of the time-stamp counter. Under QEMU's `-icount shift=0` a tick is an instruction
 * (tests/bench). On a PC it is time. The lines about translations give the number of pages from
 * which on a full flush is cheaper (see arch_invalidate_pages()).
 */
#ifndef KERNEL_DIAGNOSTICS_MEASURE_H
#define KERNEL_DIAGNOSTICS_MEASURE_H

#include "kernel/kernel.h"

/* Log the lines of stage [measure] (docs/LOG.md). It frees all memory that it allocates. Phase:
 * after the permanent heap is online. It panics as the measured calls do. */
void measure(struct kernel *kernel);

#endif
