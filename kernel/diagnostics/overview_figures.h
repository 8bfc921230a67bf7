/*
 * overview_figures.h - read the figures of the overview from the kernel.
 *
 * Pure, except for the name of the CPU. Phase: [ready].
 */
#ifndef KERNEL_DIAGNOSTICS_OVERVIEW_FIGURES_H
#define KERNEL_DIAGNOSTICS_OVERVIEW_FIGURES_H

#include "kernel/kernel.h"
#include "kernel/screen/overview.h"

/* Write the figures of this moment. The texts stay valid as long as the kernel. */
void overview_figures_read(const struct kernel *kernel, struct overview *ret_overview);

#endif
