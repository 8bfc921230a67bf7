/*
 * test_serial_choice.c - the serial port, from handoff.conf, a device path, a table, or by default.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/serial_choice.h"

/* --- handoff.conf --- */

static struct serial_wish parse(const char *text)
{
    struct serial_wish wish = {SERIAL_WISH_AUTOMATIC, 99};
    if (!serial_wish_parse(text, strlen(text), &wish))
        fail_msg("%s is refused", text);
    return wish;
}

static void test_wishes(void **state)
{
    (void)state;
    assert_int_equal(parse("off").kind, SERIAL_WISH_OFF);
    assert_int_equal(parse("OFF").kind, SERIAL_WISH_OFF);
    for (unsigned number = 1; number <= 4; number++) {
        char text[] = "COM0";
        text[3] = (char)('0' + number);
        assert_int_equal(parse(text).kind, SERIAL_WISH_NUMBER);
        assert_int_equal(parse(text).value, number);
    }
    assert_int_equal(parse("com2").value, 2);
    assert_int_equal(parse("0x2f8").kind, SERIAL_WISH_PORT);
    assert_int_equal(parse("0x2f8").value, 0x2f8);
    assert_int_equal(parse("1016").value, 1016);
    assert_int_equal(parse("0x100").value, 0x100);
    assert_int_equal(parse("0xfff8").value, 0xfff8);
}

static void test_wishes_that_are_refused(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",  "COM",  "COM0",   "COM5",  "COM12",    "COM1 ", "ttyS0", "on",  "of",        "offf",
        "0", "0xff", "0xfff9", "65536", "0x1003f8", "-1016", "0x",    "3f8", "com1,9600",
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct serial_wish wish = {SERIAL_WISH_PORT, 7};
        if (serial_wish_parse(TEXTS[i], strlen(TEXTS[i]), &wish))
            fail_msg("\"%s\" is accepted", TEXTS[i]);
        assert_int_equal(wish.value, 7);
    }
}

/* --- Device paths --- */

#define PCI        0x01, 0x01, 0x06, 0x00, 0x00, 0x1f
#define COM(uid)   0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x01, 0x05, uid, 0, 0, 0
#define OTHER_ACPI 0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define UART       0x03, 0x0e, 0x13, 0x00, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1
#define NEXT       0x7f, 0x01, 0x04, 0x00
#define END        0x7f, 0xff, 0x04, 0x00

/* From an exact copy on the heap, so that ASan finds a read past its end. */
static struct serial_console find(const uint8_t *path, size_t size_bytes)
{
    uint8_t *copy = malloc(size_bytes + 1);
    assert_non_null(copy);
    memcpy(copy + 1, path, size_bytes);
    struct serial_console console = {0};
    serial_console_find(copy + 1, size_bytes, &console);
    free(copy);
    return console;
}

#define assert_console(path, expected_unknown, expected_first, expected_bits)                      \
    do {                                                                                           \
        struct serial_console console = find(path, sizeof(path));                                  \
        assert_int_equal(console.has_unknown, expected_unknown);                                   \
        assert_int_equal(console.first_number, expected_first);                                    \
        assert_int_equal(console.number_bits, expected_bits);                                      \
    } while (0)

static void test_console_paths(void **state)
{
    (void)state;
    static const uint8_t COM1[] = {PCI, COM(0), UART, END};
    static const uint8_t COM2_SECOND[] = {PCI, OTHER_ACPI, NEXT, PCI, COM(1), UART, END};
    static const uint8_t SCREEN[] = {PCI, OTHER_ACPI, END};
    static const uint8_t NO_UART[] = {PCI, COM(0), END};
    static const uint8_t PCI_CARD[] = {PCI, UART, END};
    static const uint8_t COM_BEFORE[] = {PCI, COM(0), NEXT, PCI, UART, END};
    static const uint8_t UNKNOWN_THEN_KNOWN[] = {PCI, UART, NEXT, PCI, COM(2), UART, END};
    static const uint8_t FIFTH[] = {PCI, COM(4), UART, END};
    static const uint8_t BEHIND_THE_END[] = {PCI, END, COM(0), UART, END};
    static const uint8_t TWO[] = {PCI, COM(1), UART, NEXT, PCI, COM(0), UART, END};
    assert_console(COM1, false, 1, 1 << 1);
    assert_console(TWO, false, 2, 1 << 1 | 1 << 2);
    assert_console(COM2_SECOND, false, 2, 1 << 2);
    assert_console(SCREEN, false, 0, 0);
    assert_console(NO_UART, false, 0, 0);
    assert_console(PCI_CARD, true, 0, 0);
    assert_console(COM_BEFORE, true, 0, 0);
    assert_console(UNKNOWN_THEN_KNOWN, true, 3, 1 << 3);
    assert_console(FIFTH, true, 0, 0);
    assert_console(BEHIND_THE_END, false, 0, 0);
}

static void test_console_paths_that_are_damaged(void **state)
{
    (void)state;
    static const uint8_t COM1[] = {PCI, COM(0), UART, END};
    static const uint8_t SHORT_ACPI[] = {0x02, 0x01, 0x08, 0x00, 0xd0, 0x41, 0x01, 0x05, UART, END};
    static const uint8_t NO_LENGTH[] = {0x01, 0x01, 0x00, 0x00, COM(0), UART, END};
    static const uint8_t TOO_LONG[] = {0x01, 0x01, 0xff, 0xff, COM(0), UART, END};
    for (size_t size_bytes = 0; size_bytes <= sizeof(COM1); size_bytes++) {
        struct serial_console console = find(COM1, size_bytes);
        assert_int_equal(console.first_number, size_bytes >= sizeof(COM1) - 4 ? 1 : 0);
    }
    assert_console(SHORT_ACPI, true, 0, 0);
    assert_console(NO_LENGTH, false, 0, 0);
    assert_console(TOO_LONG, false, 0, 0);
}

/* --- SPCR --- */

static void make_spcr(uint8_t table[80], uint8_t kind, uint8_t space, uint64_t address)
{
    memset(table, 0, 80);
    table[36] = kind;
    table[40] = space;
    table[41] = 8;
    for (unsigned i = 0; i < 8; i++)
        table[44 + i] = (uint8_t)(address >> 8 * i);
}

static void test_spcr(void **state)
{
    (void)state;
    uint8_t table[80];
    make_spcr(table, 0, 1, 0x2f8);
    assert_int_equal(serial_choice_spcr_port(table, 80), 0x2f8);
    assert_int_equal(serial_choice_spcr_port(table, 52), 0x2f8);
    assert_int_equal(serial_choice_spcr_port(table, 51), 0);
    make_spcr(table, 1, 1, 0x3e8);
    assert_int_equal(serial_choice_spcr_port(table, 80), 0x3e8);
    make_spcr(table, 0x12, 1, 0xfff8);
    assert_int_equal(serial_choice_spcr_port(table, 80), 0xfff8);
}

static void test_spcr_of_other_devices(void **state)
{
    (void)state;
    uint8_t table[80];
    make_spcr(table, 3, 1, 0x2f8); /* PL011 */
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
    make_spcr(table, 0, 0, 0xfe000000); /* in memory */
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
    make_spcr(table, 0, 1, 0); /* redirection is off */
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
    make_spcr(table, 0, 1, 0xff);
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
    make_spcr(table, 0, 1, 0xfff9);
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
    make_spcr(table, 0, 1, UINT64_C(0x1000002f8));
    assert_int_equal(serial_choice_spcr_port(table, 80), 0);
}

/* --- The choice --- */

static uint16_t port_of_number(unsigned number)
{
    static const uint16_t PORTS[] = {0, 0x3f8, 0x2f8, 0x3e8, 0};
    assert_in_range(number, 1, 4);
    return PORTS[number];
}

#define AUTOMATIC ((struct serial_wish){SERIAL_WISH_AUTOMATIC, 0})
#define NUMBER(n) ((struct serial_wish){SERIAL_WISH_NUMBER, n})
#define PORT(p)   ((struct serial_wish){SERIAL_WISH_PORT, p})
#define OFF       ((struct serial_wish){SERIAL_WISH_OFF, 0})

#define NONE                                                                                       \
    {                                                                                              \
        false, 0, 0                                                                                \
    }
#define UNKNOWN                                                                                    \
    {                                                                                              \
        true, 0, 0                                                                                 \
    }
#define COM_OF(n)                                                                                  \
    {                                                                                              \
        false, n, 1 << (n)                                                                         \
    }

static void test_choices(void **state)
{
    (void)state;
    static const struct {
        struct serial_wish wish;
        struct serial_console console;
        uint16_t spcr_port;
        uint16_t port;
        bool is_firmware_console;
        const char *source;
    } CASES[] = {
        {AUTOMATIC, NONE, 0, 0x3f8, false, "default"},
        {AUTOMATIC, NONE, 0x2e8, 0x2e8, false, "SPCR"},
        {AUTOMATIC, COM_OF(2), 0x2e8, 0x2f8, true, "firmware's console"},
        {AUTOMATIC, COM_OF(1), 0, 0x3f8, true, "firmware's console"},
        {AUTOMATIC, UNKNOWN, 0x2e8, 0x2e8, true, "SPCR"},
        {AUTOMATIC, UNKNOWN, 0, 0x3f8, true, "default"},
        {AUTOMATIC, COM_OF(4), 0, 0x3f8, false, "default"}, /* the machine has no fourth */
        {NUMBER(2), COM_OF(1), 0x2e8, 0x2f8, false, "handoff.conf"},
        {NUMBER(2), COM_OF(2), 0, 0x2f8, true, "handoff.conf"},
        {NUMBER(2), UNKNOWN, 0, 0x2f8, false, "handoff.conf"},
        {NUMBER(4), NONE, 0, 0, false, "handoff.conf"},
        {PORT(0x1000), COM_OF(1), 0, 0x1000, false, "handoff.conf"},
        {PORT(0x3f8), COM_OF(1), 0, 0x3f8, true, "handoff.conf"},
        {NUMBER(2), {false, 1, 1 << 1 | 1 << 2}, 0, 0x2f8, true, "handoff.conf"},
        {OFF, COM_OF(1), 0x2e8, 0, false, "handoff.conf"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct serial_choice choice;
        serial_choose(&CASES[i].wish, &CASES[i].console, CASES[i].spcr_port, port_of_number,
                      &choice);
        if (choice.port != CASES[i].port ||
            choice.is_firmware_console != CASES[i].is_firmware_console ||
            strcmp(choice.source, CASES[i].source) != 0)
            fail_msg("case %zu: port %x, %s, %d", i, choice.port, choice.source,
                     choice.is_firmware_console);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wishes),        cmocka_unit_test(test_wishes_that_are_refused),
        cmocka_unit_test(test_console_paths), cmocka_unit_test(test_console_paths_that_are_damaged),
        cmocka_unit_test(test_spcr),          cmocka_unit_test(test_spcr_of_other_devices),
        cmocka_unit_test(test_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
