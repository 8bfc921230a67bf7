/* One misuse of malloc() for each name, and rare but valid cases, for test_preload.py. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

/* Volatile, so that the compiler does not optimise the misuse away. */
static void *volatile pointer;

/* After SIGUSR1, each instruction causes SIGTRAP. The handler calls malloc() while that works. */
static void allocate_at_step(int number, siginfo_t *information, void *interrupted)
{
    (void)information;
    if (number == SIGUSR1)
        ((ucontext_t *)interrupted)->uc_mcontext.gregs[REG_EFL] |= 0x100;
    else
        free(malloc(10));
}

static void allocate_in_handler(void)
{
    struct sigaction action = {.sa_sigaction = allocate_at_step, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)sigaction(SIGTRAP, &action, NULL);
    (void)raise(SIGUSR1);
    free(malloc(20));
}

static _Atomic unsigned allocation_count;

static void *allocate_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        pointer = malloc(100);
        free(pointer);
        allocation_count++;
    }
    return NULL;
}

/* No call of malloc() is a point of cancellation (POSIX.1-2017, 2.9.5). */
static void cancel_thread(void)
{
    pthread_t thread;
    const struct timespec moment = {.tv_nsec = 1000 * 1000};
    if (pthread_create(&thread, NULL, allocate_for_ever, NULL) != 0)
        abort();
    (void)pthread_cancel(thread);
    while (allocation_count < 10000)
        (void)nanosleep(&moment, NULL);
    free(malloc(30));
}

int main(int argument_count, char **arguments)
{
    const char *name = argument_count == 2 ? arguments[1] : "";
    uint8_t *volatile first = malloc(40);
    uint8_t *volatile second = malloc(40);
    if (first == NULL || second == NULL)
        return 2;
    pointer = first;
    if (strcmp(name, "double-free") == 0) {
        free(pointer);
        free(pointer);
    } else if (strcmp(name, "interior") == 0) {
        free((uint8_t *)pointer + 16);
    } else if (strcmp(name, "write-after-free") == 0) { /* HANDOFF_HEAP_DEBUG=1 finds it at exit */
        free(pointer);
        first[39] = 'x';
    } else if (strcmp(name, "handler") == 0) {
        allocate_in_handler();
    } else if (strcmp(name, "cancelled-thread") == 0) {
        cancel_thread();
    } else if (strcmp(name, "foreign") == 0) {
        static uint64_t not_a_block[8];
        pointer = &not_a_block[2];
        free(pointer);
    } else if (strcmp(name, "overflow") == 0) {
        first[40] ^= 1;
        free(pointer);
    } else if (strcmp(name, "wild-overflow") == 0) { /* over all heap data after the block */
        memset(pointer, 'x', 60000);
        for (size_t size_bytes = 8; size_bytes < 8192; size_bytes += 8)
            free(malloc(size_bytes));
        free(pointer);
    } else if (strcmp(name, "taken-away") == 0) { /* the heap cannot read its own memory */
        (void)mprotect((void *)((uintptr_t)first & ~(uintptr_t)4095), 4096, PROT_NONE);
        free(pointer);
    } else if (strcmp(name, "own-segfault") == 0) { /* not a misuse of the heap */
        *(volatile uint8_t *)8 = 'x';
    } else if (strcmp(name, "underflow") == 0) {
        first[-1] ^= 1;
        second[-1] ^= 1;
        free(first);
        free(second);
    } else {
        (void)fprintf(stderr, "misuse: \"%s\" is unknown\n", name);
        return 2;
    }
    return 0;
}
