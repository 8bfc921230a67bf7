/*
 * debug_exit.h - the codes with which the loader leaves QEMU after ExitBootServices.
 *
 * The kernel's panic codes include them (kernel/core/panic.h), so that one table explains every
 * exit code (docs/LOG.md).
 */
#ifndef SHARED_DEBUG_EXIT_H
#define SHARED_DEBUG_EXIT_H

#define DEBUG_EXIT_LOADER_FAULT    0x2b /* a fault or error before the kernel has handlers */
#define DEBUG_EXIT_KERNEL_RETURNED 0x2c /* the kernel's entry point returned */

#endif
