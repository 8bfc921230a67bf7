/*
 * test_clock_rate.c - the frequency of a clock, from counters and delays that may be broken (L7).
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/clock_rate.h"

#define POWER_TIMER_HZ UINT64_C(3579545)

/* A machine: each read takes some nanoseconds, and the clocks follow from the time. */
static struct {
    uint64_t now_ns;
    uint64_t read_ns;
    uint64_t clock_hz;
    uint64_t counter_hz;
    uint64_t counter_start;
    uint64_t counter_mask;
    uint64_t interruption_ns; /* once, at this read */
    unsigned interrupted_read;
    unsigned reads;
    bool alternates; /* the counter goes back and forth */
} machine;

static uint64_t clock_of_machine(void)
{
    return machine.now_ns * (machine.clock_hz / 1000000) / 1000;
}

static uint64_t counter_of_machine(uint64_t place)
{
    assert_int_equal(place, 0x608);
    machine.now_ns += machine.read_ns;
    if (++machine.reads == machine.interrupted_read)
        machine.now_ns += machine.interruption_ns;
    if (machine.alternates)
        return machine.reads % 2;
    uint64_t counts = machine.now_ns * (machine.counter_hz / 1000) / 1000000;
    uint64_t value = (machine.counter_start + counts) & machine.counter_mask;
    /* The value is from before the interruption: the worst case. */
    if (machine.reads == machine.interrupted_read)
        value -= machine.interruption_ns * (machine.counter_hz / 1000) / 1000000;
    return value & machine.counter_mask;
}

static int reset(void **state)
{
    (void)state;
    memset(&machine, 0, sizeof(machine));
    machine.read_ns = 1000;
    machine.clock_hz = UINT64_C(2600000000);
    machine.counter_hz = POWER_TIMER_HZ;
    machine.counter_mask = 0xffffff;
    return 0;
}

static uint64_t measure(void)
{
    const struct reference_counter counter = {machine.counter_hz, machine.counter_mask,
                                              counter_of_machine, 0x608};
    return clock_rate_measure_hz(clock_of_machine, &counter);
}

static void assert_about(uint64_t measured_hz, uint64_t expected_hz)
{
    assert_in_range(measured_hz, expected_hz - expected_hz / 100, expected_hz + expected_hz / 100);
}

static void test_L7_a_counter_gives_the_frequency(void **state)
{
    (void)state;
    static const uint64_t CLOCKS_HZ[] = {60000000, 1000000000, 2600000000, 5700000000};
    static const uint64_t READS_NS[] = {10, 300, 1000, 2500};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            reset(NULL);
            machine.clock_hz = CLOCKS_HZ[i];
            machine.read_ns = READS_NS[j];
            assert_about(measure(), CLOCKS_HZ[i]);
            assert_true(machine.now_ns < 500000);
        }
    }
}

static void test_L7_a_timer_of_24_bits_wraps(void **state)
{
    (void)state;
    for (uint64_t before_end = 0; before_end < 1600; before_end += 7) {
        reset(NULL);
        machine.counter_start = 0xffffff - before_end;
        assert_about(measure(), machine.clock_hz);
    }
}

static void test_L7_a_fast_counter_of_32_bits_wraps(void **state)
{
    (void)state;
    machine.counter_hz = 100000000;
    machine.counter_mask = 0xffffffff;
    machine.counter_start = 0xffffffff - 30000;
    assert_about(measure(), machine.clock_hz);
}

/* System management stops the CPU after a read of the counter, for 50 µs. */
static void test_L7_an_interruption_is_measured_again(void **state)
{
    (void)state;
    for (unsigned read = 1; read < 400; read++) {
        reset(NULL);
        machine.interruption_ns = 50000;
        machine.interrupted_read = read;
        assert_about(measure(), machine.clock_hz);
    }
}

static void test_L7_a_counter_that_stands_still_is_given_up(void **state)
{
    (void)state;
    machine.counter_hz = 0;
    const struct reference_counter counter = {POWER_TIMER_HZ, 0xffffff, counter_of_machine, 0x608};
    assert_int_equal(clock_rate_measure_hz(clock_of_machine, &counter), 0);
    assert_true(machine.now_ns < 30000000);
}

static void test_L7_a_counter_that_jumps_is_given_up(void **state)
{
    (void)state;
    machine.alternates = true;
    assert_int_equal(measure(), 0);
    assert_true(machine.now_ns < 300000000);
}

static void test_L7_a_clock_that_stands_still_is_unknown(void **state)
{
    (void)state;
    machine.clock_hz = 0;
    assert_int_equal(measure(), 0);
}

static void test_L7_arithmetic_does_not_wrap(void **state)
{
    (void)state;
    assert_int_equal(clock_rate_hz(UINT64_MAX, 1, 2), 0);
    assert_int_equal(clock_rate_hz(UINT64_MAX / 2 + 1, 1, 2), 0);
    assert_int_equal(clock_rate_hz(1000, 0, POWER_TIMER_HZ), 0);
    assert_int_equal(clock_rate_hz(1000, 1000, 0), 0);
    assert_int_equal(clock_rate_hz(0, 1000, 1000), 0);
    assert_int_equal(clock_rate_hz(UINT64_MAX / 1000000, UINT64_MAX / 1000000000, 1000000),
                     UINT64_C(1000000000));
}

static void test_L7_only_plausible_frequencies_count(void **state)
{
    (void)state;
    assert_false(clock_rate_is_plausible(0));
    assert_false(clock_rate_is_plausible(CLOCK_RATE_LEAST_HZ - 1));
    assert_true(clock_rate_is_plausible(CLOCK_RATE_LEAST_HZ));
    assert_true(clock_rate_is_plausible(CLOCK_RATE_MOST_HZ));
    assert_false(clock_rate_is_plausible(CLOCK_RATE_MOST_HZ + 1));
}

/* 30 µs is the cost of each call. */
static void test_L7_two_delays_are_free_of_the_cost_of_a_call(void **state)
{
    (void)state;
    assert_int_equal(clock_rate_from_delays_hz(130 * 2600, 380 * 2600, 250), UINT64_C(2600000000));
}

/* Stall() returns at once, or fails, or ends too early once. */
static void test_L7_delays_that_are_wrong_give_no_frequency(void **state)
{
    (void)state;
    assert_int_equal(clock_rate_from_delays_hz(150, 150, 250), 0);
    assert_int_equal(clock_rate_from_delays_hz(150, 160, 250), 0);
    assert_int_equal(clock_rate_from_delays_hz(160, 150, 250), 0);
    assert_int_equal(clock_rate_from_delays_hz(0, 0, 250), 0);
    assert_int_equal(clock_rate_from_delays_hz(0, UINT64_MAX, 250), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_L7_a_counter_gives_the_frequency, reset),
        cmocka_unit_test_setup(test_L7_a_timer_of_24_bits_wraps, reset),
        cmocka_unit_test_setup(test_L7_a_fast_counter_of_32_bits_wraps, reset),
        cmocka_unit_test_setup(test_L7_an_interruption_is_measured_again, reset),
        cmocka_unit_test_setup(test_L7_a_counter_that_stands_still_is_given_up, reset),
        cmocka_unit_test_setup(test_L7_a_counter_that_jumps_is_given_up, reset),
        cmocka_unit_test_setup(test_L7_a_clock_that_stands_still_is_unknown, reset),
        cmocka_unit_test(test_L7_arithmetic_does_not_wrap),
        cmocka_unit_test(test_L7_only_plausible_frequencies_count),
        cmocka_unit_test(test_L7_two_delays_are_free_of_the_cost_of_a_call),
        cmocka_unit_test(test_L7_delays_that_are_wrong_give_no_frequency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
