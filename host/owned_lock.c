#include "host/owned_lock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OTHERS_WAIT UINT32_C(0x80000000)

/* Asked for once: a system call would cost more than what the lock protects. Of the library's own
 * static block, since any other place for it may be allocated at its first use. */
static _Thread_local __attribute__((tls_model("initial-exec"))) uint32_t own_number;

static uint32_t ask_number(void)
{
    own_number = (uint32_t)syscall(SYS_gettid);
    return own_number;
}

/* Sleep while the lock's word is `seen`. What it returns does not matter: the caller looks again.
 */
static void sleep_while(struct owned_lock *lock, uint32_t seen)
{
    (void)syscall(SYS_futex, &lock->owner, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

/* Who has waited cannot know whether others still do, and takes the lock as if they did: one
 * needless call to the kernel at worst. */
static bool take_slowly(struct owned_lock *lock, uint32_t number)
{
    int error = errno;
    for (;;) {
        uint32_t seen = 0;
        if (atomic_compare_exchange_strong_explicit(&lock->owner, &seen, number | OTHERS_WAIT,
                                                    memory_order_acquire, memory_order_relaxed))
            break;
        if ((seen & ~OTHERS_WAIT) == number)
            return false;
        if ((seen & OTHERS_WAIT) != 0 ||
            atomic_compare_exchange_strong_explicit(&lock->owner, &seen, seen | OTHERS_WAIT,
                                                    memory_order_relaxed, memory_order_relaxed))
            sleep_while(lock, seen | OTHERS_WAIT);
    }
    errno = error;
    return true;
}

bool owned_lock_take(struct owned_lock *lock)
{
    uint32_t number = own_number != 0 ? own_number : ask_number();
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong_explicit(&lock->owner, &seen, number, memory_order_acquire,
                                                memory_order_relaxed))
        return true;
    return take_slowly(lock, number);
}

void owned_lock_release(struct owned_lock *lock)
{
    uint32_t seen = atomic_exchange_explicit(&lock->owner, 0, memory_order_release);
    if ((seen & OTHERS_WAIT) == 0)
        return;
    int error = errno;
    (void)syscall(SYS_futex, &lock->owner, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = error;
}

bool owned_lock_is_own(const struct owned_lock *lock)
{
    uint32_t seen = atomic_load_explicit(&lock->owner, memory_order_relaxed);
    return own_number != 0 && (seen & ~OTHERS_WAIT) == own_number;
}

void owned_lock_inherit(struct owned_lock *lock, bool is_taken)
{
    uint32_t number = ask_number();
    atomic_store_explicit(&lock->owner, is_taken ? number : 0, memory_order_relaxed);
}
