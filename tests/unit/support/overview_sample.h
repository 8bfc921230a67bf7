/*
 * overview_sample.h - figures for the overview, as a virtual machine with 512 MiB has them.
 */
#ifndef TESTS_UNIT_SUPPORT_OVERVIEW_SAMPLE_H
#define TESTS_UNIT_SUPPORT_OVERVIEW_SAMPLE_H

#include "kernel/screen/overview.h"

/* Write the figures. */
void overview_sample(struct overview *ret_overview);

#endif
