/*
 * test_handoff_serial_port.c - the serial port that a kernel takes from its handoff.
 */
#include "tests/unit/support/cmocka.h"

#include "kernel/arch.h"
#include "shared/handoff.h"

static uint16_t port_of(uint32_t handed_over)
{
    struct handoff handoff = {.arch.x86_64.serial_port = handed_over};
    return arch_handoff_serial_port(&handoff);
}

static void test_the_port_is_the_handoff_s(void **state)
{
    (void)state;
    assert_int_equal(port_of(0), 0);
    assert_int_equal(port_of(0x3f8), 0x3f8);
    assert_int_equal(port_of(0xfff8), 0xfff8);
}

/* Eight ports behind it must exist. */
static void test_a_number_that_is_no_port_means_none(void **state)
{
    (void)state;
    assert_int_equal(port_of(0xfff9), 0);
    assert_int_equal(port_of(0x103f8), 0);
    assert_int_equal(port_of(UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_port_is_the_handoff_s),
        cmocka_unit_test(test_a_number_that_is_no_port_means_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
