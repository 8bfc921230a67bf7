/* Interrupts that stay pending while code must not be interrupted, and the lock above that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/interrupts.h"
#include "kernel/core/spinlock.h"
#include "tests/unit/support/arch_stub.h"
#include "tests/unit/support/panic_stub.h"

static unsigned call_count;
static bool nests;
static struct spinlock lock;

static void handler(void *context)
{
    assert_ptr_equal(context, &call_count);
    assert_false(arch_stub.interrupts_are_on);
    assert_int_equal(cpu_current()->interrupts.hold_depth, 0);
    call_count++;
    if (nests) {
        spinlock_acquire(&lock);
        spinlock_release(&lock);
        assert_false(arch_stub.interrupts_are_on);
    }
}

static int start(void **state)
{
    (void)state;
    memset(cpu_current(), 0, sizeof *cpu_current());
    memset(&arch_stub, 0, sizeof arch_stub);
    lock.is_taken = false;
    call_count = 0;
    nests = false;
    interrupts_set_handler(INTERRUPT_TIMER, handler, &call_count);
    interrupts_allow();
    assert_true(arch_stub.interrupts_are_on);
    return 0;
}

/* Do the same as a CPU and interrupt_entry.S: interrupts off for the handler, then by its return
 * value. */
static void arrive(void)
{
    if (!arch_stub.interrupts_are_on)
        return;
    arch_stub.interrupts_are_on = false;
    arch_stub.interrupts_are_on = interrupts_arrive(INTERRUPT_TIMER);
}

static void test_handled_at_once(void **state)
{
    (void)state;
    arrive();
    assert_int_equal(call_count, 1);
    assert_int_equal(arch_stub.acknowledge_count, 1);
    assert_true(arch_stub.interrupts_are_on);
    assert_int_equal(cpu_current()->interrupts.deferred_count, 0);
}

static void test_waits_for_the_outermost_release(void **state)
{
    (void)state;
    interrupts_hold();
    interrupts_hold();
    arrive();
    assert_int_equal(call_count, 0);
    assert_int_equal(arch_stub.acknowledge_count, 0);
    assert_false(arch_stub.interrupts_are_on);
    arrive(); /* cannot */
    interrupts_release();
    assert_int_equal(call_count, 0);
    interrupts_release();
    assert_int_equal(call_count, 1);
    assert_int_equal(arch_stub.acknowledge_count, 1);
    assert_int_equal(cpu_current()->interrupts.deferred_count, 1);
    assert_int_equal(cpu_current()->interrupts.pending, 0);
    assert_true(arch_stub.interrupts_are_on);
}

static void test_handler_may_take_the_lock_that_was_held(void **state)
{
    (void)state;
    nests = true;
    spinlock_acquire(&lock);
    arrive();
    assert_int_equal(call_count, 0);
    spinlock_release(&lock);
    assert_int_equal(call_count, 1);
    arrive();
    assert_int_equal(call_count, 2);
    assert_false(lock.is_taken);
    assert_true(arch_stub.interrupts_are_on);
}

static void test_line_without_handler_panics(void **state)
{
    (void)state;
    interrupts_set_handler(INTERRUPT_TIMER, NULL, NULL);
    assert_false(interrupts_are_handled(INTERRUPT_TIMER));
    expect_panic(PANIC_ASSERTION, interrupts_arrive(INTERRUPT_TIMER));
    assert_int_equal(arch_stub.acknowledge_count, 0);
}

static void test_lock_that_is_never_released_panics(void **state)
{
    (void)state;
    arch_stub.timestamp_step = UINT64_C(1) << 30;
    spinlock_acquire(&lock);
    expect_panic(PANIC_LOCK_STUCK, spinlock_acquire(&lock));
}

#define ON_CPU(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_CPU(test_handled_at_once),
        ON_CPU(test_waits_for_the_outermost_release),
        ON_CPU(test_handler_may_take_the_lock_that_was_held),
        ON_CPU(test_line_without_handler_panics),
        ON_CPU(test_lock_that_is_never_released_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
