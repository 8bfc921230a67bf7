#define _GNU_SOURCE
#include "host/lessons/trouble.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "lessons/patience.h"
#include "lessons/stack.h"

#define STACK_BYTES        (1024u * 1024u)
#define SIGNAL_STACK_BYTES (256u * 1024u)
#define TICKS_PER_SECOND   10u

static struct judge *judge;
static struct patience patience;
static uint64_t stack_top;

static void end_for_lesson(int number)
{
    fprintf(stderr, "the lesson itself failed (signal %d, step %u): tell its authors\n", number,
            judge->step);
    _exit(2);
}

/* The CPU's description of a fault, from the registers that the signal carries. */
struct cause {
    enum judge_access access;
    bool is_no_address;
    uint64_t stack_pointer; /* 0: unknown */
};

#ifdef __x86_64__
#define VECTOR_PROTECTION 13 /* the number was not an address, so the CPU gives none */
#define ERROR_WRITE       2
#define ERROR_FETCH       16

static struct cause cause_of(const ucontext_t *context)
{
    const greg_t *registers = context->uc_mcontext.gregs;
    greg_t error = registers[REG_ERR];
    return (struct cause){
        .access = (error & ERROR_FETCH) != 0   ? JUDGE_JUMPED
                  : (error & ERROR_WRITE) != 0 ? JUDGE_WROTE
                                               : JUDGE_READ,
        .is_no_address = registers[REG_TRAPNO] == VECTOR_PROTECTION,
        .stack_pointer = (uint64_t)registers[REG_RSP],
    };
}
#else
static struct cause cause_of(const ucontext_t *context)
{
    (void)context;
    return (struct cause){.access = JUDGE_USED};
}
#endif

static void on_fault(int number, siginfo_t *info, void *context)
{
    struct cause cause = cause_of(context);
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    if (!judge->in_reader_code)
        end_for_lesson(number);
    if (stack_is_used_up(address, cause.stack_pointer, stack_top))
        judge_trouble(judge, JUDGE_STACK);
    else if (cause.is_no_address)
        judge_trouble(judge, JUDGE_NO_ADDRESS);
    else
        judge_fault(judge, cause.access, address);
    _exit(1);
}

static void on_trouble(int number)
{
    if (!judge->in_reader_code)
        end_for_lesson(number);
    judge_trouble(judge, number == SIGFPE    ? JUDGE_DIVIDE
                         : number == SIGILL  ? JUDGE_INSTRUCTION
                         : number == SIGABRT ? JUDGE_ENDED
                                             : JUDGE_OTHER);
    _exit(1);
}

static void on_tick(int number)
{
    (void)number;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (!patience_tick(&patience, judge, now_ms, PATIENCE_SECONDS * 1000))
        return;
    judge_stuck(judge, PATIENCE_SECONDS);
    _exit(1);
}

/* The status of an exit() in the reader's code must not count as the lesson's. */
static void on_exit_call(void)
{
    if (!judge->in_reader_code)
        return;
    judge_trouble(judge, JUDGE_ENDED);
    _exit(1);
}

/* The handlers run on a stack of their own, because the reader's code may use up the other one. That one
 * gets a limit, so that an endless recursion ends soon. */
static void prepare_stacks(void)
{
    static uint8_t signal_stack[SIGNAL_STACK_BYTES];
    stack_t alternate = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct rlimit limit;
    stack_top = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur > STACK_BYTES) {
        limit.rlim_cur = STACK_BYTES;
        setrlimit(RLIMIT_STACK, &limit);
    }
    sigaltstack(&alternate, NULL);
}

void trouble_catch(struct judge *watched)
{
    static const int others[] = {SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction other = {.sa_handler = on_trouble, .sa_flags = SA_ONSTACK};
    struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_ONSTACK | SA_RESTART};
    struct itimerval period = {{0, 1000000 / TICKS_PER_SECOND}, {0, 1000000 / TICKS_PER_SECOND}};
    judge = watched;
    prepare_stacks();
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        sigaction(others[i], &other, NULL);
    sigaction(SIGALRM, &tick, NULL);
    setitimer(ITIMER_REAL, &period, NULL);
    atexit(on_exit_call);
}
