/* Check that every function of the malloc() family does what its manual page says. For
 * test_preload.py. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define THREAD_COUNT    4
#define OPERATION_COUNT 30000
#define MAILBOX_COUNT   256

#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "family.c:%d: %s\n", __LINE__, #condition);                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Volatile, so that the compiler does not know the sizes and alignments. */
static volatile size_t huge = SIZE_MAX - 64;
static volatile size_t zero = 0;

static void try_sizes(void)
{
    void *empty = malloc(zero), *other = malloc(zero);
    require(empty != NULL && other != NULL && empty != other);
    free(empty);
    free(other);
    free(NULL);

    errno = 0;
    require(malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    require(calloc(huge, 2) == NULL && errno == ENOMEM);
    errno = 0;
    require(reallocarray(NULL, huge, 2) == NULL && errno == ENOMEM);
    errno = 0;
    require(pvalloc(huge + 60) == NULL && errno == ENOMEM);

    uint8_t *bytes = calloc(1000, 3);
    require(bytes != NULL && malloc_usable_size(bytes) >= 3000);
    for (size_t i = 0; i < 3000; i++)
        require(bytes[i] == 0);
    memset(bytes, 7, 3000);
    require(realloc(bytes, huge) == NULL);
    bytes = realloc(bytes, 100000);
    require(bytes != NULL);
    for (size_t i = 0; i < 3000; i++)
        require(bytes[i] == 7);
    errno = 123;
    free(bytes);
    require(errno == 123);
    require(malloc_usable_size(NULL) == 0);
}

static void try_alignments(void)
{
    void *block = &block;
    require(posix_memalign(&block, zero, 10) == EINVAL && block == &block);
    require(posix_memalign(&block, zero + 24, 10) == EINVAL && block == &block);
    require(posix_memalign(&block, 64, huge) == ENOMEM && block == &block);
    for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
        require(posix_memalign(&block, alignment, 100) == 0);
        require((uintptr_t)block % alignment == 0);
        free(block);
        block = aligned_alloc(alignment, alignment);
        require(block != NULL && (uintptr_t)block % alignment == 0);
        free(block);
        block = memalign(alignment, 3);
        require(block != NULL && (uintptr_t)block % alignment == 0);
        free(block);
    }
    block = valloc(5);
    require(block != NULL && (uintptr_t)block % 4096 == 0);
    free(block);
    block = pvalloc(5);
    require(block != NULL && (uintptr_t)block % 4096 == 0 && malloc_usable_size(block) >= 4096);
    free(block);
}

static char *mailboxes[MAILBOX_COUNT];

/* Any thread may free a block. */
static void *run_thread(void *argument)
{
    uint32_t random = (uint32_t)(uintptr_t)argument;
    for (unsigned i = 0; i < OPERATION_COUNT; i++) {
        random = random * 1664525 + 1013904223;
        size_t size_bytes = 2 + (random >> 20) % (i % 64 == 0 ? 200000 : 600);
        char *text = malloc(size_bytes);
        require(text != NULL);
        memset(text, 'a' + (int)(size_bytes % 26), size_bytes - 1);
        text[size_bytes - 1] = '\0';
        char *found =
            __atomic_exchange_n(&mailboxes[(random >> 8) % MAILBOX_COUNT], text, __ATOMIC_ACQ_REL);
        if (found != NULL)
            require(found[0] == 'a' + (int)((strlen(found) + 1) % 26));
        free(found);
    }
    return NULL;
}

static void try_threads_and_forks(void)
{
    pthread_t threads[THREAD_COUNT];
    for (uintptr_t i = 0; i < THREAD_COUNT; i++)
        require(pthread_create(&threads[i], NULL, run_thread, (void *)(i + 1)) == 0);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        require(child >= 0);
        if (child == 0) {
            free(malloc(100)); /* hangs if a thread of the parent had the lock */
            _exit(0);
        }
        int status;
        require(waitpid(child, &status, 0) == child && status == 0);
    }
    for (size_t i = 0; i < THREAD_COUNT; i++)
        require(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < MAILBOX_COUNT; i++)
        free(mailboxes[i]);
}

/* --- fork() between the lock of a stream and the lock of the heap ----------------------------- */

/* One thread holds a stream and wants to allocate. A second thread flushes all streams: it holds
 * their list and waits for the first thread. fork() needs the list and the heap. It must lock the
 * list before the heap. */

static FILE *stream;
static _Atomic pid_t flushing_thread, forking_thread;

static void wait_until_asleep(_Atomic pid_t *thread)
{
    char path[64], state[64];
    char *name_end;
    while (atomic_load(thread) == 0)
        (void)sched_yield();
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)atomic_load(thread));
    do {
        int file = open(path, O_RDONLY);
        require(file >= 0);
        ssize_t length = read(file, state, sizeof state - 1);
        require(length > 0 && close(file) == 0);
        state[length] = '\0';
        name_end = strrchr(state, ')');
        require(name_end != NULL);
    } while (name_end[2] != 'S');
}

static void *flush_all(void *unused)
{
    atomic_store(&flushing_thread, gettid());
    require(fflush(NULL) == 0);
    return unused;
}

static void *hold_the_stream(void *unused)
{
    pthread_t flusher;
    flockfile(stream);
    require(pthread_create(&flusher, NULL, flush_all, NULL) == 0);
    wait_until_asleep(&flushing_thread);
    wait_until_asleep(&forking_thread);
    free(malloc(5000));
    funlockfile(stream);
    require(pthread_join(flusher, NULL) == 0);
    return unused;
}

static void try_fork_among_streams(void)
{
    pthread_t holder;
    int status;
    stream = tmpfile();
    require(stream != NULL);
    require(pthread_create(&holder, NULL, hold_the_stream, NULL) == 0);
    while (atomic_load(&flushing_thread) == 0)
        (void)sched_yield();
    wait_until_asleep(&flushing_thread);
    atomic_store(&forking_thread, gettid());
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        free(malloc(100));
        _exit(fflush(NULL));
    }
    require(waitpid(child, &status, 0) == child && status == 0);
    require(pthread_join(holder, NULL) == 0 && fclose(stream) == 0);
}

/* --- fork() from a signal handler, at every instruction of malloc() and free() ---------------- */

#define TRAP_FLAG 0x100

static volatile sig_atomic_t is_stepping, is_child, step_count, inside_count;

/* Expect that a child that allocates is refused if the signal handler interrupted the heap. */
static void expect_refusal_inside(pid_t child)
{
    int status;
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        require(setrlimit(RLIMIT_CORE, &no_core) == 0 && close(STDERR_FILENO) == 0);
        free(malloc(200));
        _exit(0);
    }
    require(waitpid(child, &status, 0) == child);
    require(status == 0 || status == SIGABRT);
    inside_count += status == SIGABRT;
}

static void fork_at_step(int number, siginfo_t *information, void *interrupted)
{
    (void)information;
    greg_t *flags = &((ucontext_t *)interrupted)->uc_mcontext.gregs[REG_EFL];
    if (number == SIGUSR1)
        *flags |= TRAP_FLAG; /* from here on, each instruction causes SIGTRAP */
    if (!is_stepping)
        *flags &= ~(greg_t)TRAP_FLAG;
    if (number == SIGUSR1 || !is_stepping)
        return;
    step_count++;
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) { /* it finishes the interrupted call, and ends */
        is_child = 1;
        *flags &= ~(greg_t)TRAP_FLAG;
        return;
    }
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
    expect_refusal_inside(fork());
}

static void try_fork_in_the_heap(void)
{
    struct sigaction action = {.sa_sigaction = fork_at_step, .sa_flags = SA_SIGINFO};
    require(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGTRAP, &action, NULL) == 0);
    is_stepping = 1;
    require(raise(SIGUSR1) == 0);
    void *volatile block = malloc(100);
    free(block);
    is_stepping = 0;
    if (is_child) {
        free(malloc(200));
        _exit(0);
    }
    require(inside_count > 20 && inside_count < step_count);
}

/* --- An address limit that is set late -------------------------------------------------------- */

static void *allocate_one(void *unused)
{
    free(malloc(100));
    return unused;
}

static void try_address_limit(void)
{
    enum { EXTRA_BYTES = 64 << 20, BLOCK_BYTES = 1 << 20, BLOCK_COUNT = 65 };
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        unsigned long pages;
        FILE *statistics = fopen("/proc/self/statm", "r");
        require(statistics != NULL && fscanf(statistics, "%lu", &pages) == 1);
        require(fclose(statistics) == 0);
        struct rlimit limit = {pages * 4096 + EXTRA_BYTES, pages * 4096 + EXTRA_BYTES};
        require(setrlimit(RLIMIT_AS, &limit) == 0);
        pthread_t thread;
        require(pthread_create(&thread, NULL, allocate_one, NULL) == 0);
        require(pthread_join(thread, NULL) == 0);
        void *blocks[BLOCK_COUNT];
        size_t count = 0;
        errno = 0;
        while (count < BLOCK_COUNT && (blocks[count] = malloc(BLOCK_BYTES)) != NULL)
            count++;
        require(count > BLOCK_COUNT / 2 && count < BLOCK_COUNT && errno == ENOMEM);
        while (count > 0)
            free(blocks[--count]);
        _exit(0);
    }
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
}

/* --- Further functions of the GNU C library --------------------------------------------------- */

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() is called on purpose */
static void try_figures(void)
{
    struct mallinfo2 before = mallinfo2();
    void *block = malloc(300000);
    struct mallinfo2 during = mallinfo2();
    require(block != NULL && during.uordblks == before.uordblks + 300000);
    require(during.arena == during.uordblks + during.fordblks);
    require(mallinfo().uordblks == (int)during.uordblks);
    free(block);
    (void)malloc_trim(0);
    require(mallinfo2().uordblks == before.uordblks && malloc_trim(0) == 0);
}

int main(void)
{
    (void)alarm(240); /* this ends a deadlock */
    try_sizes();
    try_alignments();
    try_figures();
    try_fork_in_the_heap();
    try_address_limit();
    try_threads_and_forks();
    try_fork_among_streams();
    (void)puts("family: passed");
    return 0;
}
