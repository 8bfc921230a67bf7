/*
 * panic_host.h - the kernel's panic in a process: printed as the kernel prints it, then the
 * simulated kernel is left for good.
 */
#ifndef HOST_SIMULATOR_PANIC_HOST_H
#define HOST_SIMULATOR_PANIC_HOST_H

#include <setjmp.h>
#include <stdbool.h>

#include "kernel/core/panic.h"

struct panic_host {
    bool armed;
    jmp_buf leave;        /* where the panic goes, with 1 */
    enum panic_code code; /* of the panic */
    char cause[512];
};

/* There is one kernel in a process. */
extern struct panic_host panic_host;

#endif
