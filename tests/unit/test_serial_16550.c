/*
 * test_serial_16550.c - the serial port with a UART that works, stalls, recovers, or is removed.
 * The driver is compiled with these two functions instead of the CPU's instructions.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#define SHARED_ARCH_X86_64_INSTRUCTIONS_H
#include <stdint.h>
static void port_write_8(uint16_t port, uint8_t value);
static uint8_t port_read_8(uint16_t port);
#include "shared/arch/x86_64/serial_16550.c"

#define BASE 0x3f8

/* The registers of a PC16550D at its eight ports that the driver may use. */
static struct {
    bool is_absent;
    bool keeps_one_value_only; /* in the scratch register */
    uint8_t scratch;
    uint8_t line_control;
    uint8_t divisor;
    uint8_t fifo_control;
    uint8_t modem_control;
    uint8_t interrupt_enable;
    unsigned busy_reads; /* this number of reads of the line status report that it cannot send */
    uint64_t status_reads;
    char sent[64];
    size_t sent_count;
    const char *arriving;
} uart;

static void port_write_8(uint16_t port, uint8_t value)
{
    bool is_latched = (uart.line_control & 0x80) != 0;
    assert_in_range(port, BASE, BASE + 7);
    switch (port - BASE) {
    case 0:
        if (is_latched)
            uart.divisor = value;
        else if (uart.sent_count < sizeof(uart.sent))
            uart.sent[uart.sent_count++] = (char)value;
        break;
    case 1:
        uart.interrupt_enable = value;
        break;
    case 2:
        uart.fifo_control = value;
        break;
    case 3:
        uart.line_control = value;
        break;
    case 4:
        uart.modem_control = value;
        break;
    case 7:
        if (!uart.keeps_one_value_only)
            uart.scratch = value;
        break;
    default:
        fail_msg("a write to register %d", port - BASE);
    }
}

static uint8_t port_read_8(uint16_t port)
{
    assert_in_range(port, BASE, BASE + 7);
    if (uart.is_absent)
        return 0xff;
    switch (port - BASE) {
    case 0:
        return (uint8_t)*uart.arriving++;
    case 5:
        uart.status_reads++;
        if (uart.busy_reads > 0 && uart.busy_reads != UINT32_MAX)
            uart.busy_reads--;
        return (uint8_t)((uart.busy_reads == 0 ? 0x60 : 0) |
                         (uart.arriving != NULL && *uart.arriving != '\0' ? 0x01 : 0));
    case 7:
        return uart.scratch;
    default:
        fail_msg("a read of register %d", port - BASE);
        return 0;
    }
}

static int reset(void **state)
{
    (void)state;
    memset(&uart, 0, sizeof(uart));
    return 0;
}

static struct serial_16550 ready_port(void)
{
    struct serial_16550 port;
    assert_true(serial_16550_initialise(&port, BASE));
    return port;
}

static void assert_sent(const char *expected)
{
    assert_int_equal(uart.sent_count, strlen(expected));
    assert_memory_equal(uart.sent, expected, uart.sent_count);
}

static void test_it_is_set_up(void **state)
{
    (void)state;
    (void)ready_port();
    assert_int_equal(uart.divisor, 1);
    assert_int_equal(uart.line_control, 0x03);
    assert_int_equal(uart.interrupt_enable, 0);
    assert_int_equal(uart.fifo_control & 0x01, 0x01);
    assert_int_equal(uart.modem_control & 0x0b, 0x03);
    assert_sent("");
}

static void test_an_absent_port_is_not_used(void **state)
{
    (void)state;
    struct serial_16550 port;
    uint8_t byte = 'x';
    uart.is_absent = true;
    assert_false(serial_16550_initialise(&port, BASE));
    serial_16550_write(&port, "text", 4);
    assert_sent("");
    assert_false(serial_16550_take(&port, &byte));
    assert_int_equal(byte, 'x');
}

/* Memory or another device at these ports may happen to read as the first value. */
static void test_one_value_that_is_kept_proves_nothing(void **state)
{
    (void)state;
    struct serial_16550 port;
    uart.keeps_one_value_only = true;
    uart.scratch = 0x5a;
    assert_false(serial_16550_initialise(&port, BASE));
}

static void test_a_port_of_zeros_is_absent(void **state)
{
    (void)state;
    struct serial_16550 port = {0};
    uint8_t byte;
    serial_16550_write(&port, "text", 4);
    assert_false(serial_16550_take(&port, &byte));
    assert_int_equal(uart.status_reads, 0);
}

static void test_a_newline_is_cr_lf(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    serial_16550_write(&port, "a\nb\n", 4);
    assert_sent("a\r\nb\r\n");
}

static void test_it_waits_for_a_port_that_is_slow(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_reads = 5000;
    serial_16550_write(&port, "abc", 3);
    assert_sent("abc");
}

/* Only the first byte waits. Every later one is tried once. */
static void test_bytes_are_lost_instead_of_hanging(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_reads = UINT32_MAX;
    serial_16550_write(&port, "abc", 3);
    assert_sent("");
    assert_int_equal(uart.status_reads, SEND_POLL_LIMIT + 2);
}

static void test_a_port_that_recovers_is_used_and_waited_for_again(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_reads = UINT32_MAX;
    serial_16550_write(&port, "lost", 4);
    uart.busy_reads = 0;
    serial_16550_write(&port, "a", 1);
    uart.busy_reads = 5000;
    serial_16550_write(&port, "b", 1);
    assert_sent("ab");
}

static void test_received_bytes_are_taken_once(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uint8_t byte = 0;
    assert_false(serial_16550_take(&port, &byte));
    uart.arriving = "hi";
    assert_true(serial_16550_take(&port, &byte));
    assert_int_equal(byte, 'h');
    assert_true(serial_16550_take(&port, &byte));
    assert_int_equal(byte, 'i');
    assert_false(serial_16550_take(&port, &byte));
}

static void test_received_bytes_are_taken_while_nothing_can_be_sent(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uint8_t byte = 0;
    uart.busy_reads = UINT32_MAX;
    serial_16550_write(&port, "lost", 4);
    uart.arriving = "k";
    assert_true(serial_16550_take(&port, &byte));
    assert_int_equal(byte, 'k');
}

/* All ones would be an endless stream of bytes. */
static void test_nothing_arrives_from_a_port_that_has_gone(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uint8_t byte;
    uart.is_absent = true;
    assert_false(serial_16550_take(&port, &byte));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_it_is_set_up, reset),
        cmocka_unit_test_setup(test_an_absent_port_is_not_used, reset),
        cmocka_unit_test_setup(test_one_value_that_is_kept_proves_nothing, reset),
        cmocka_unit_test_setup(test_a_port_of_zeros_is_absent, reset),
        cmocka_unit_test_setup(test_a_newline_is_cr_lf, reset),
        cmocka_unit_test_setup(test_it_waits_for_a_port_that_is_slow, reset),
        cmocka_unit_test_setup(test_bytes_are_lost_instead_of_hanging, reset),
        cmocka_unit_test_setup(test_a_port_that_recovers_is_used_and_waited_for_again, reset),
        cmocka_unit_test_setup(test_received_bytes_are_taken_once, reset),
        cmocka_unit_test_setup(test_received_bytes_are_taken_while_nothing_can_be_sent, reset),
        cmocka_unit_test_setup(test_nothing_arrives_from_a_port_that_has_gone, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
