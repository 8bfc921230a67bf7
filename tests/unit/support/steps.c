#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* REG_EFL */
#endif

#include "tests/unit/support/steps.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100 /* of RFLAGS */

static volatile uint64_t count;
static uint64_t most_count;
static uint64_t own_count;

static void on_step(int number, siginfo_t *trap, void *interrupted)
{
    (void)number;
    (void)trap;
    if (++count == most_count) {
        ucontext_t *context = interrupted;
        context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
    }
}

/* The compiler may use the 128 bytes below the stack pointer (System V x86-64 psABI 3.2.2). */
#define WITH_FLAGS(instruction)                                                                    \
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\t" instruction                           \
                     ", (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), %%rsp" ::                             \
                         : "memory", "cc")

static __attribute__((noinline)) void begin(void)
{
    count = 0;
    WITH_FLAGS("orq $0x100");
}

static __attribute__((noinline)) uint64_t end(void)
{
    WITH_FLAGS("andq $~0x100");
    return count;
}

static void prepare(void)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGTRAP, &action, NULL) != 0) {
        perror("steps: sigaction");
        abort();
    }
    most_count = UINT64_MAX;
    begin();
    own_count = end();
}

void steps_begin(uint64_t most)
{
    if (own_count == 0)
        prepare();
    most_count = most;
    begin();
}

uint64_t steps_end(void)
{
    uint64_t all = end();
    return all - own_count;
}
