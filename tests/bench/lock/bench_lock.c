/* The cost of keeping interrupts out, for each alternative of docs/DESIGN.md ("The lock"), beside a
 * lock without it and both together, in nanoseconds on this machine.
 *
 * It prints a table, and with an argument also writes the table to that file as JSON. Every figure
 * is the least of many rounds, and includes the loop. CLI is privileged. So the figure for saving
 * the interrupt flag contains only reading and writing the flags: it is a lower bound. */
#define _DEFAULT_SOURCE

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "kernel/core/interrupts.h"
#include "kernel/core/spinlock.h"

#define ROUNDS 200
#define LOOPS  20000

static struct spinlock lock;

static void hold_and_release(void)
{
    for (int i = 0; i < LOOPS; i++) {
        interrupts_hold();
        interrupts_release();
    }
}

static void save_and_restore_flags(void)
{
    for (int i = 0; i < LOOPS; i++)
        __writeeflags(__readeflags());
}

static void take_and_let_go(void)
{
    while (__atomic_exchange_n(&lock.is_taken, true, __ATOMIC_ACQUIRE))
        continue;
    __atomic_store_n(&lock.is_taken, false, __ATOMIC_RELEASE);
}

static void exchange_alone(void)
{
    for (int i = 0; i < LOOPS; i++)
        take_and_let_go();
}

static void acquire_and_release(void)
{
    for (int i = 0; i < LOOPS; i++) {
        spinlock_acquire(&lock);
        spinlock_release(&lock);
    }
}

static void exchange_with_flags(void)
{
    for (int i = 0; i < LOOPS; i++) {
        unsigned long long flags = __readeflags();
        take_and_let_go();
        __writeeflags(flags);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} subjects[] = {
    {"interrupts_hold() and _release()", hold_and_release},
    {"flags saved and restored", save_and_restore_flags},
    {"only the exchange of the lock", exchange_alone},
    {"spinlock_acquire() and _release()", acquire_and_release},
    {"exchange, flags saved and restored", exchange_with_flags},
};

#define SUBJECT_COUNT (sizeof subjects / sizeof subjects[0])

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The subjects take turns, so that other work on the machine affects all of them equally. */
static void measure(double *ret_ns)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < SUBJECT_COUNT; i++) {
            double started_ns = now_ns();
            subjects[i].run();
            double each_ns = (now_ns() - started_ns) / LOOPS;
            if (round == 0 || each_ns < ret_ns[i])
                ret_ns[i] = each_ns;
        }
    }
}

int main(int argument_count, char **arguments)
{
    double ns[SUBJECT_COUNT];
    measure(ns);
    printf("%-36s %8s %22s\n", "keeping interrupts out", "ns", "times hold and release");
    for (size_t i = 0; i < SUBJECT_COUNT; i++)
        printf("%-36s %8.2f %22.2f\n", subjects[i].name, ns[i], ns[i] / ns[0]);
    if (argument_count < 2)
        return 0;
    FILE *file = fopen(arguments[1], "w");
    if (file == NULL) {
        perror(arguments[1]);
        return 1;
    }
    (void)fprintf(file, "{\n");
    for (size_t i = 0; i < SUBJECT_COUNT; i++)
        (void)fprintf(file, "  \"%s\": %.3f%s\n", subjects[i].name, ns[i],
                      i + 1 < SUBJECT_COUNT ? "," : "");
    (void)fprintf(file, "}\n");
    return fclose(file) == 0 ? 0 : 1;
}
