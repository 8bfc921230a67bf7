/*
 * debug_exit.h - the codes with which the loader, in place of the kernel, leaves QEMU.
 *
 * They lie among the kernel's panic codes (kernel/core/panic.h), so that one table explains every
 * exit value (docs/LOG.md).
 */
#ifndef SHARED_DEBUG_EXIT_H
#define SHARED_DEBUG_EXIT_H

#define DEBUG_EXIT_LOADER_FAULT    0x2b /* a fault or error before the kernel had handlers */
#define DEBUG_EXIT_KERNEL_RETURNED 0x2c /* the kernel's entry point returned */

#endif
