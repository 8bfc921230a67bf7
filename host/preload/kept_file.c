#include "host/preload/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KERNEL_SIGNAL_SET_BYTES 8 /* the C library's set is longer */

struct kept_file kept_file_of(int descriptor)
{
    struct stat found;
    if (fstat(descriptor, &found) != 0)
        return KEPT_FILE_NONE;
    return (struct kept_file){descriptor, found.st_dev, found.st_ino};
}

/* A high number, since programs expect that open() returns the lowest free one. It is below the
 * limit, since the kernel's table is as long as the highest number. */
static int high_duplicate(int descriptor)
{
    static const int lowest_choices[] = {1000, 200, 50, 10};
    for (size_t i = 0; i < sizeof lowest_choices / sizeof lowest_choices[0]; i++) {
        int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest_choices[i]);
        if (duplicate >= 0)
            return duplicate;
    }
    return -1;
}

struct kept_file kept_file_duplicate(int descriptor)
{
    struct kept_file kept = kept_file_of(descriptor);
    if (kept.descriptor >= 0)
        kept.descriptor = high_duplicate(descriptor);
    return kept;
}

bool kept_file_is_open(const struct kept_file *kept)
{
    if (kept->descriptor < 0)
        return false;
    struct kept_file found = kept_file_of(kept->descriptor);
    return found.descriptor >= 0 && found.device == kept->device && found.file == kept->file;
}

/* Call the kernel directly. The C library's write() is a cancellation point: it could end a thread
 * that holds the heap's lock. */
static bool write_all(int descriptor, const char *next, size_t count)
{
    while (count > 0) {
        long written = syscall(SYS_write, descriptor, next, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        next += written;
        count -= (size_t)written;
    }
    return true;
}

/* Block the signals that a write can raise, since they would end the program. `ret_raised` are
 * those that are not pending yet: only the write can raise them. */
static void block_write_signals(sigset_t *ret_raised, sigset_t *ret_before)
{
    sigset_t pending;
    (void)sigemptyset(ret_raised);
    (void)sigaddset(ret_raised, SIGPIPE);
    (void)sigaddset(ret_raised, SIGXFSZ);
    (void)pthread_sigmask(SIG_BLOCK, ret_raised, ret_before);
    (void)sigpending(&pending);
    if (sigismember(&pending, SIGPIPE))
        (void)sigdelset(ret_raised, SIGPIPE);
    if (sigismember(&pending, SIGXFSZ))
        (void)sigdelset(ret_raised, SIGXFSZ);
}

/* The C library's sigtimedwait() is a cancellation point, too. */
static void drop_signals(const sigset_t *raised)
{
    const struct timespec at_once = {0, 0};
    (void)syscall(SYS_rt_sigtimedwait, raised, NULL, &at_once, KERNEL_SIGNAL_SET_BYTES);
}

bool kept_file_write(const struct kept_file *kept, const void *bytes, size_t count)
{
    sigset_t raised, before;
    if (!kept_file_is_open(kept))
        return false;
    block_write_signals(&raised, &before);
    bool is_written = write_all(kept->descriptor, bytes, count);
    if (!is_written)
        drop_signals(&raised);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_written;
}

void kept_file_close(struct kept_file *kept)
{
    if (kept_file_is_open(kept))
        (void)syscall(SYS_close, kept->descriptor);
    *kept = KEPT_FILE_NONE;
}
