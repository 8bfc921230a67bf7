/* fork() and similar functions at difficult moments, one case for each name. For test_forks.py.
 *
 * "Inside" means: in a signal handler that interrupted malloc(). After SIGUSR1, each instruction
 * causes SIGTRAP, and SIGTRAP calls the handler of the case. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define TRAP_FLAG        0x100
#define DEADLOCK_SECONDS 240

#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "forks.c:%d: %s\n", __LINE__, #condition);                       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* --- Steps ------------------------------------------------------------------------------------ */

static void (*at_step)(void);
static volatile sig_atomic_t is_stepping, is_child;
static volatile unsigned step_count, inside_count;

static void on_step(int number, siginfo_t *information, void *interrupted)
{
    (void)information;
    greg_t *flags = &((ucontext_t *)interrupted)->uc_mcontext.gregs[REG_EFL];
    if (number == SIGTRAP && is_stepping) {
        step_count++;
        at_step();
    }
    if (number == SIGUSR1)
        *flags |= TRAP_FLAG;
    if (!is_stepping || is_child)
        *flags &= ~(greg_t)TRAP_FLAG;
}

static void start_steps(void (*handler)(void))
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    at_step = handler;
    require(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGTRAP, &action, NULL) == 0);
    is_stepping = 1;
    require(raise(SIGUSR1) == 0);
}

static void step_through_malloc(void (*handler)(void))
{
    start_steps(handler);
    void *volatile block = malloc(100);
    free(block);
    is_stepping = 0;
}

static void expect_success(pid_t child)
{
    int status;
    require(child > 0 && waitpid(child, &status, 0) == child);
    require(status == 0);
}

/* Return true if the handler interrupted the heap: then a child that allocates is refused. */
static bool is_inside(void)
{
    pid_t child = _Fork();
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)close(STDERR_FILENO);
        free(malloc(10));
        _exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* --- Threads that take the locks of fork() in all orders -------------------------------------- */

static FILE *stream;
static atomic_bool is_over;

static void *fork_for_ever(void *unused)
{
    while (!is_over) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        expect_success(child);
    }
    return unused;
}

/* Hold the list of all streams and wait for the stream. */
static void *flush_for_ever(void *unused)
{
    while (!is_over) {
        require(fflush(NULL) == 0);
        (void)sched_yield();
    }
    return unused;
}

/* Hold the stream and wait for the heap. */
static void *write_for_ever(void *unused)
{
    while (!is_over) {
        flockfile(stream);
        free(malloc(5000));
        funlockfile(stream);
        (void)sched_yield();
    }
    return unused;
}

/* Fork a child that finishes the interrupted call. Then fork a child that does nothing except fork
 * another child. */
static void fork_three_ways(void)
{
    pid_t child = fork();
    if (child == 0) {
        is_child = 1;
        return;
    }
    expect_success(child);
    child = fork();
    if (child == 0) {
        child = fork();
        if (child > 0)
            expect_success(child);
        _exit(child < 0);
    }
    expect_success(child);
}

static void fork_beside_threads(void)
{
    void *(*const loops[])(void *) = {fork_for_ever, flush_for_ever, write_for_ever};
    pthread_t threads[3];
    stream = tmpfile();
    require(stream != NULL);
    for (unsigned i = 0; i < 3; i++)
        require(pthread_create(&threads[i], NULL, loops[i], NULL) == 0);
    for (unsigned round = 0; round < 1 && !is_child; round++)
        step_through_malloc(fork_three_ways);
    if (is_child) { /* heap, streams and fork() must work here */
        free(malloc(200));
        require(fputc('x', stream) == 'x' && fflush(NULL) == 0);
        pid_t child = fork();
        if (child == 0)
            exit(0);
        expect_success(child);
        exit(0);
    }
    is_over = true;
    for (unsigned i = 0; i < 3; i++)
        require(pthread_join(threads[i], NULL) == 0);
    require(step_count > 200 && fclose(stream) == 0);
}

/* --- Functions like fork() -------------------------------------------------------------------- */

extern char **environ;

static void spawn_in_many_ways(void)
{
    char *const words[] = {"true", NULL};
    pid_t child;
    if (step_count % 16 != 0)
        return;
    expect_success(posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0 ? child : -1);
    child = vfork();
    if (child == 0) {
        (void)execvp("true", words);
        _exit(1);
    }
    expect_success(child);
    require(system("exit 0") == 0);
    child = _Fork();
    if (child == 0) {
        is_child = 1;
        return;
    }
    expect_success(child);
}

static void *wait_for_end(void *unused)
{
    while (!is_over)
        (void)sched_yield();
    return unused;
}

static void spawn_inside(void)
{
    pthread_t other;
    require(pthread_create(&other, NULL, wait_for_end, NULL) == 0);
    step_through_malloc(spawn_in_many_ways);
    if (is_child) {
        free(malloc(200));
        exit(0);
    }
    is_over = true;
    require(pthread_join(other, NULL) == 0);
}

/* --- Handlers of pthread_atfork() that allocate and fork -------------------------------------- */

static unsigned depth, handler_calls;
static void *block_of_handler;

static void allocate_and_fork(void)
{
    handler_calls++;
    free(block_of_handler);
    block_of_handler = malloc(300);
    if (depth > 0)
        return;
    depth++;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    expect_success(child);
    depth--;
}

static void fork_in_fork(void)
{
    pthread_t threads[2];
    require(pthread_atfork(allocate_and_fork, allocate_and_fork, allocate_and_fork) == 0);
    require(pthread_create(&threads[0], NULL, wait_for_end, NULL) == 0);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            exit(0);
        expect_success(child);
    }
    is_over = true;
    require(pthread_join(threads[0], NULL) == 0 && handler_calls > 40);
}

/* --- Only one thread, which waits for no other thread ----------------------------------------- */

static unsigned handlers_run;

static void count_handler(void)
{
    handlers_run++;
}

static void fork_once(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(handlers_run % 2 == 0 ? 0 : 1);
    expect_success(child);
}

static void fork_alone(void)
{
    require(pthread_atfork(count_handler, count_handler, count_handler) == 0);
    step_through_malloc(fork_once);
    require(step_count > 50 && handlers_run == 2 * step_count);
}

/* --- Cases that cannot work ------------------------------------------------------------------- */

static void (*once_inside)(void);

static void call_once_inside(void)
{
    if (inside_count > 0 || !is_inside())
        return;
    inside_count++;
    once_inside();
}

static atomic_bool is_stuck;

static void get_stuck(void)
{
    is_stuck = true;
    for (;;)
        (void)pause();
}

static void *step_in_thread(void *unused)
{
    step_through_malloc(call_once_inside);
    return unused;
}

static pthread_t start_thread_inside(void (*handler)(void))
{
    pthread_t thread;
    once_inside = handler;
    require(pthread_create(&thread, NULL, step_in_thread, NULL) == 0);
    return thread;
}

static void wait_until_stuck(void)
{
    (void)start_thread_inside(get_stuck);
    while (!is_stuck)
        (void)sched_yield();
}

/* The child does not have the thread that holds the heap. */
static void orphan(void)
{
    wait_until_stuck();
    pid_t child = _Fork();
    if (child == 0) {
        free(malloc(10));
        _exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    require(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    _exit(0);
}

static void exit_with_three(void)
{
    exit(3);
}

static void exit_inside(void)
{
    once_inside = exit_with_three;
    step_through_malloc(call_once_inside);
}

static void exit_beside(void)
{
    wait_until_stuck();
    exit(4);
}

static void end_thread(void)
{
    pthread_exit(NULL);
}

static void end_inside(void)
{
    (void)pthread_join(start_thread_inside(end_thread), NULL);
    free(malloc(10));
}

static void become_daemon(void)
{
    (void)daemon(1, 1);
}

static void daemon_inside(void)
{
    (void)pthread_join(start_thread_inside(become_daemon), NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"beside-threads", fork_beside_threads},
    {"spawn", spawn_inside},
    {"in-fork", fork_in_fork},
    {"alone", fork_alone},
    {"orphan", orphan},
    {"exit-inside", exit_inside},
    {"exit-beside", exit_beside},
    {"end-inside", end_inside},
    {"daemon-inside", daemon_inside},
};

/* End a deadlock, also in a child: a child would keep this program's output open. */
static void end_all(int number)
{
    (void)number;
    (void)kill(0, SIGKILL);
}

int main(int argument_count, char **arguments)
{
    const struct sigaction end = {.sa_handler = end_all};
    require(setpgid(0, 0) == 0 && sigaction(SIGALRM, &end, NULL) == 0);
    (void)alarm(DEADLOCK_SECONDS);
    for (size_t i = 0; argument_count == 2 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, arguments[1]) != 0)
            continue;
        cases[i].run();
        (void)puts("forks: passed");
        return 0;
    }
    (void)fprintf(stderr, "forks: unknown case\n");
    return 2;
}
