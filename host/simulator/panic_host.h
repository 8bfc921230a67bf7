/*
 * panic_host.h - the kernel's panic in a process. It is printed as in the kernel, and then the
 * simulated kernel ends.
 */
#ifndef HOST_SIMULATOR_PANIC_HOST_H
#define HOST_SIMULATOR_PANIC_HOST_H

#include <setjmp.h>
#include <stdbool.h>

#include "kernel/core/panic.h"

struct panic_host {
    bool armed;
    jmp_buf leave;        /* the panic jumps there, with the value 1 */
    enum panic_code code; /* of the panic */
    char cause[512];
};

/* There is only one kernel in a process. */
extern struct panic_host panic_host;

#endif
