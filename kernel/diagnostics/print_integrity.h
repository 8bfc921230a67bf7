/*
 * print_integrity.h - log what the loader checked and measured before it used the files.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_INTEGRITY_H
#define KERNEL_DIAGNOSTICS_PRINT_INTEGRITY_H

#include <stdint.h>

/* Print one line if a flag that this kernel knows is set. `flags` are HANDOFF_INTEGRITY_*. */
void print_integrity(uint32_t flags);

#endif
