/* Every member of the malloc() family as its manual page promises it, for test_preload.py. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* Through these the compiler cannot tell what a size or an alignment is. */
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

/* Blocks are freed by whichever thread finds them. */
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

int main(void)
{
    try_sizes();
    try_alignments();
    try_threads_and_forks();
    (void)puts("family: passed");
    return 0;
}
