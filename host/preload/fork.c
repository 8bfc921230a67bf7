/*
 * fork.c - the order of the locks in fork(). docs/HEAP-LIBRARY.md has the promises.
 *
 * A child has one thread. No other thread of the parent may hold the heap's lock at the fork. A
 * thread that writes to a stream may hold the stream's lock while it allocates. The C library's
 * fflush(NULL) holds the lock of the list of all streams while it waits for that stream. Its fork()
 * takes the list's lock, too. So the order is: list, streams, heap. fork() takes the heap's lock
 * last, as it does for the C library's allocator.
 *
 * A signal handler that interrupted the heap already holds the heap's lock. It must not wait for
 * another lock, because the owner of that lock may wait for the heap. This holds for the list's
 * lock and for the locks that other handlers of fork() take. A program with one thread has no such
 * owner. With several threads the handler gets _Fork(), which takes no lock. The child returns into
 * the interrupted call and completes it.
 */
#include "host/preload/fork.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "host/preload/heap_lock.h"
#include "host/preload/say.h"

/* A function of the GNU C library; NULL in another library. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));
extern FILE *_IO_iter_begin(void) __attribute__((weak));
extern FILE *_IO_iter_end(void) __attribute__((weak));
extern FILE *_IO_iter_next(FILE *stream) __attribute__((weak));
/* Since version 2.34. */
extern pid_t _Fork(void) __attribute__((weak));

typedef pid_t fork_function(void);

static fork_function *library_fork;

/* Hold the heap's lock to change these. */
static bool has_streams;      /* this thread is in fork() and holds the list's lock */
static unsigned forks_inside; /* of the heap: its lock is the interrupted call's */

static bool is_inside(void)
{
    return owned_lock_is_own(&heap_lock);
}

/* In a program with several threads, inside of the heap, only the C library's own calls of fork()
 * get here. */
static void before_fork(void)
{
    bool is_alone = __libc_single_threaded;
    if (!is_alone && is_inside())
        give_up("heap: daemon() and forkpty() cannot run in a signal handler that interrupted the "
                "heap, if the process has other threads: call fork() there\n");
    bool takes_streams = _IO_list_lock != NULL && !is_alone;
    if (takes_streams)
        _IO_list_lock();
    if (!heap_lock_take_unless_own())
        forks_inside++;
    has_streams = takes_streams;
}

static bool is_fork_inside(void)
{
    if (forks_inside == 0)
        return false;
    forks_inside--;
    return true;
}

static void after_fork_in_parent(void)
{
    bool releases_streams = has_streams;
    has_streams = false;
    if (!is_fork_inside())
        owned_lock_release(&heap_lock);
    if (releases_streams)
        _IO_list_unlock();
}

static void after_fork_in_child(void)
{
    bool resets_streams = has_streams;
    has_streams = false;
    owned_lock_inherit(&heap_lock, is_fork_inside());
    if (resets_streams)
        _IO_list_resetlock();
}

/* fork() unlocks every stream in the child. Code outside of the C library cannot do that. So the
 * child no longer uses the locks that threads of the parent hold. */
static void release_streams(void)
{
    if (_IO_iter_begin == NULL || _IO_iter_end == NULL || _IO_iter_next == NULL)
        return;
    for (FILE *next = _IO_iter_begin(); next != _IO_iter_end(); next = _IO_iter_next(next)) {
        if (ftrylockfile(next) == 0)
            funlockfile(next);
        else
            (void)__fsetlocking(next, FSETLOCKING_BYCALLER);
    }
}

/* A signal handler may also have interrupted fork() between the two handlers above. That fork()
 * unlocks the list itself. */
static pid_t fork_inside(void)
{
    if (_Fork == NULL)
        give_up("heap: fork() in a signal handler that interrupted the heap needs _Fork() if the "
                "process has other threads, which this C library does not have: use glibc 2.34 or "
                "newer\n");
    pid_t child = _Fork();
    if (child != 0)
        return child;
    owned_lock_inherit(&heap_lock, true);
    if (_IO_list_resetlock != NULL && !has_streams)
        _IO_list_resetlock();
    release_streams();
    return 0;
}

static void find_library_fork(void)
{
    void *found = dlsym(RTLD_NEXT, "fork");
    if (found == NULL)
        give_up("heap: the preload library does not find the C library's fork()\n");
    memcpy(&library_fork, &found, sizeof library_fork);
}

__attribute__((visibility("default"))) pid_t fork(void)
{
    if (is_inside() && !__libc_single_threaded)
        return fork_inside();
    if (library_fork == NULL)
        find_library_fork();
    return library_fork();
}

/* The handler that is registered first locks last. Then no other handler of fork() allocates any
 * more. */
void fork_prepare(void)
{
    find_library_fork();
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
