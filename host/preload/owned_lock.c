#include "host/preload/owned_lock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define OTHERS_WAIT    UINT64_C(1)
#define WAITS_FOR_EVER UINT_MAX

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the kernel waits on the lower half");

/* Only its address is used. It must lie in the static thread-local block, since other thread-local
 * memory may be allocated at its first use. */
static _Thread_local __attribute__((tls_model("initial-exec"), aligned(8))) char own_memory;

static uint64_t own_name(void)
{
    return (uintptr_t)&own_memory;
}

/* The kernel compares only 32 bits, which may be equal for two threads. A thread may then sleep
 * although the owner has changed. The word still has the bit for waiters, so the release wakes that
 * thread. */
static long call_futex(struct owned_lock *lock, int operation, uint32_t value,
                       const struct timespec *limit)
{
    return syscall(SYS_futex, &lock->owner, operation, value, limit, NULL, 0);
}

/* Sleep while the lock's word is `seen`. True after one second. */
static bool sleep_while(struct owned_lock *lock, uint64_t seen)
{
    const struct timespec second = {.tv_sec = 1};
    return call_futex(lock, FUTEX_WAIT_PRIVATE, (uint32_t)seen, &second) != 0 && errno == ETIMEDOUT;
}

/* True if the lock's owner does not exist in this process. A child of _Fork() inherits a taken
 * lock, but not the thread that owns it. unshare(CLONE_THREAD) succeeds only in a process with one
 * thread, and then it changes nothing. The call is made only in a process that the lock does not
 * know: a filter of system calls may end the program. */
static bool is_owner_gone(const struct owned_lock *lock)
{
    return lock->process != 0 && lock->process != getpid() &&
           syscall(SYS_unshare, CLONE_THREAD) == 0;
}

/* Set the bit for waiters, if it is not set, and sleep. True after one second. */
static bool wait_for(struct owned_lock *lock, uint64_t seen)
{
    if ((seen & OTHERS_WAIT) == 0 &&
        !atomic_compare_exchange_strong_explicit(&lock->owner, &seen, seen | OTHERS_WAIT,
                                                 memory_order_relaxed, memory_order_relaxed))
        return false;
    return sleep_while(lock, seen | OTHERS_WAIT);
}

/* A thread that has waited does not know whether others still wait. So it takes the lock with the
 * bit for waiters set. The worst result is one needless system call. */
static enum owned_lock_result wait_and_take(struct owned_lock *lock, unsigned limit_seconds)
{
    unsigned waited_seconds = 0;
    for (;;) {
        uint64_t seen = 0;
        if (atomic_compare_exchange_strong_explicit(&lock->owner, &seen, own_name() | OTHERS_WAIT,
                                                    memory_order_acquire, memory_order_relaxed))
            return OWNED_LOCK_TAKEN;
        if ((seen & ~OTHERS_WAIT) == own_name())
            return OWNED_LOCK_IS_OWN;
        if (!wait_for(lock, seen))
            continue;
        if (is_owner_gone(lock))
            return OWNED_LOCK_OWNER_IS_GONE;
        if (limit_seconds != WAITS_FOR_EVER && ++waited_seconds >= limit_seconds)
            return OWNED_LOCK_IS_BUSY;
    }
}

static enum owned_lock_result take_slowly(struct owned_lock *lock, unsigned limit_seconds)
{
    int error = errno;
    enum owned_lock_result result = wait_and_take(lock, limit_seconds);
    errno = error;
    return result;
}

static bool take_at_once(struct owned_lock *lock)
{
    uint64_t seen = 0;
    return atomic_compare_exchange_strong_explicit(&lock->owner, &seen, own_name(),
                                                   memory_order_acquire, memory_order_relaxed);
}

void owned_lock_prepare(struct owned_lock *lock)
{
    lock->process = getpid();
}

enum owned_lock_result owned_lock_take(struct owned_lock *lock)
{
    return take_at_once(lock) ? OWNED_LOCK_TAKEN : take_slowly(lock, WAITS_FOR_EVER);
}

enum owned_lock_result owned_lock_take_within(struct owned_lock *lock, unsigned limit_seconds)
{
    return take_at_once(lock) ? OWNED_LOCK_TAKEN : take_slowly(lock, limit_seconds);
}

void owned_lock_release(struct owned_lock *lock)
{
    uint64_t seen = atomic_exchange_explicit(&lock->owner, 0, memory_order_release);
    if ((seen & OTHERS_WAIT) == 0)
        return;
    int error = errno;
    (void)call_futex(lock, FUTEX_WAKE_PRIVATE, 1, NULL);
    errno = error;
}

bool owned_lock_is_own(const struct owned_lock *lock)
{
    uint64_t seen = atomic_load_explicit(&lock->owner, memory_order_relaxed);
    return (seen & ~OTHERS_WAIT) == own_name();
}

void owned_lock_inherit(struct owned_lock *lock, bool is_taken)
{
    lock->process = getpid();
    atomic_store_explicit(&lock->owner, is_taken ? own_name() : 0, memory_order_relaxed);
}
