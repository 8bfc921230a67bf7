/*
 * test_serial_16550.c - the serial port against a UART that is there, stalls, drips, or goes.
 *
 * The driver is compiled with these three functions in place of the CPU's instructions.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#define SHARED_ARCH_X86_64_INSTRUCTIONS_H
#include <stdint.h>
static void port_write_8(uint16_t port, uint8_t value);
static uint8_t port_read_8(uint16_t port);
static uint64_t timestamp_read(void);
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
    uint64_t now_ticks;
    uint64_t busy_ticks; /* for so long it cannot send behind each byte */
    uint64_t busy_until_ticks;
    bool takes_nothing;
    uint64_t status_reads;
    char sent[64];
    size_t sent_count;
    const char *arriving;
} uart;

static void take_byte(char byte)
{
    assert_false(uart.takes_nothing);
    assert_true(uart.now_ticks >= uart.busy_until_ticks);
    if (uart.sent_count < sizeof(uart.sent))
        uart.sent[uart.sent_count] = byte;
    uart.sent_count++;
    uart.busy_until_ticks = uart.now_ticks + uart.busy_ticks;
}

/* A read takes 1 µs at 3 GHz. */
static uint64_t timestamp_read(void)
{
    return uart.now_ticks;
}

static void port_write_8(uint16_t port, uint8_t value)
{
    bool is_latched = (uart.line_control & 0x80) != 0;
    assert_in_range(port, BASE, BASE + 7);
    switch (port - BASE) {
    case 0:
        if (is_latched)
            uart.divisor = value;
        else
            take_byte((char)value);
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
        uart.now_ticks += 3000;
        return (
            uint8_t)((!uart.takes_nothing && uart.now_ticks >= uart.busy_until_ticks ? 0x60 : 0) |
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
    assert_false(serial_16550_initialise(&port, 0));
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

/* 300 baud: 33 ms for a byte. It has the patience for some bytes only. */
static void test_it_waits_for_a_port_that_is_slow(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_ticks = UINT64_C(3000000) * 33;
    serial_16550_write(&port, "abc", 3);
    assert_sent("abc");
}

static void write_much(struct serial_16550 *port, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        serial_16550_write(port, "x", 1);
}

static void test_a_port_that_works_is_never_given_up(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_ticks = UINT64_C(3000000) * 87 / 1000;
    write_much(&port, 100000);
    assert_int_equal(uart.sent_count, 100000);
}

/* The first byte pays the wait. No later one is even tried. */
static void test_W6_a_port_that_takes_no_byte_is_given_up_once(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.takes_nothing = true;
    serial_16550_write(&port, "abc\n", 4);
    assert_sent("");
    assert_in_range(uart.now_ticks, PATIENCE_TICKS, PATIENCE_TICKS + PATIENCE_TICKS / 8);
    uint64_t reads = uart.status_reads;
    write_much(&port, 1000);
    assert_int_equal(uart.status_reads, reads);
    uart.takes_nothing = false;
    serial_16550_write(&port, "d", 1);
    assert_sent("");
}

/* Each byte takes 90 ms: never so long that the port seems to hang. */
static void test_W6_a_port_that_drips_is_given_up(void **state)
{
    (void)state;
    struct serial_16550 port = ready_port();
    uart.busy_ticks = UINT64_C(3000000) * 90;
    write_much(&port, 10000);
    assert_in_range(uart.sent_count, 2, 10);
    assert_true(uart.now_ticks < PATIENCE_TICKS + PATIENCE_TICKS / 8);
}

/* The slowest that lives for ever costs 2.8 ms for a byte. */
static void test_W6_all_waiting_is_bounded(void **state)
{
    (void)state;
    for (unsigned microseconds = 1000; microseconds < 100000; microseconds += 777) {
        memset(&uart, 0, sizeof(uart));
        struct serial_16550 port = ready_port();
        uart.busy_ticks = UINT64_C(3000) * microseconds;
        write_much(&port, 1000);
        uint64_t limit_ticks = PATIENCE_TICKS + 1001 * PATIENCE_FOR_BYTE_TICKS;
        assert_true(uart.now_ticks < limit_ticks);
    }
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
    uart.takes_nothing = true;
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
        cmocka_unit_test_setup(test_a_port_that_works_is_never_given_up, reset),
        cmocka_unit_test_setup(test_W6_a_port_that_takes_no_byte_is_given_up_once, reset),
        cmocka_unit_test_setup(test_W6_a_port_that_drips_is_given_up, reset),
        cmocka_unit_test_setup(test_W6_all_waiting_is_bounded, reset),
        cmocka_unit_test_setup(test_received_bytes_are_taken_once, reset),
        cmocka_unit_test_setup(test_received_bytes_are_taken_while_nothing_can_be_sent, reset),
        cmocka_unit_test_setup(test_nothing_arrives_from_a_port_that_has_gone, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
