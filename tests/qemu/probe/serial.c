#include "tests/qemu/probe/serial.h"

#include "tests/qemu/probe/arch/x86_64/cpu.h"

#define COM1 0x3f8

#define LINE_STATUS                5
#define LINE_STATUS_TRANSMIT_EMPTY 0x20

void serial_initialise(void)
{
    cpu_port_write8(COM1 + 1, 0);    /* no interrupts */
    cpu_port_write8(COM1 + 3, 0x80); /* the next two are the divisor */
    cpu_port_write8(COM1 + 0, 1);
    cpu_port_write8(COM1 + 1, 0);
    cpu_port_write8(COM1 + 3, 0x03); /* eight data bits, no parity, one stop bit */
    cpu_port_write8(COM1 + 2, 0x07); /* FIFOs on and empty */
    cpu_port_write8(COM1 + 4, 0x03); /* ready */
}

static void serial_write_character(char character)
{
    while ((cpu_port_read8(COM1 + LINE_STATUS) & LINE_STATUS_TRANSMIT_EMPTY) == 0)
        ;
    cpu_port_write8(COM1, (uint8_t)character);
}

void serial_write(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            serial_write_character('\r');
        serial_write_character(*text);
    }
}

static void serial_write_number(uint64_t value, unsigned radix)
{
    char digits[21];
    unsigned place = sizeof(digits) - 1;
    digits[place] = '\0';
    do {
        digits[--place] = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value != 0);
    serial_write(&digits[place]);
}

void serial_write_hexadecimal(uint64_t value)
{
    serial_write("0x");
    serial_write_number(value, 16);
}

void serial_write_decimal(uint64_t value)
{
    serial_write_number(value, 10);
}
