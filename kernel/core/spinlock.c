#include "kernel/core/spinlock.h"

#include <stdint.h>

#include "kernel/arch.h"
#include "kernel/core/panic.h"

/* About twenty seconds: longer than a hypervisor stops the CPU of a holder. */
#define WAIT_LIMIT_TICKS (UINT64_C(1) << 36)

/* It reads before it tries again, so that waiting CPUs share the cache line. */
void spinlock_wait(struct spinlock *lock)
{
    uint64_t start = arch_timestamp();
    do {
        while (__atomic_load_n(&lock->is_taken, __ATOMIC_RELAXED)) {
            if (arch_timestamp() - start > WAIT_LIMIT_TICKS)
                panic(PANIC_LOCK_STUCK, "the lock at %p was never released", (void *)lock);
            arch_pause();
        }
    } while (__atomic_exchange_n(&lock->is_taken, true, __ATOMIC_ACQUIRE));
}
