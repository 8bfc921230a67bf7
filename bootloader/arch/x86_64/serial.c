/*
 * serial.c - the loader's serial port without the firmware.
 */
#include "bootloader/arch.h"
#include "shared/arch/x86_64/serial_16550.h"

static struct serial_16550 uart;

uint16_t arch_serial_port_of(unsigned number)
{
    static const uint16_t PORTS[] = {0, SERIAL_16550_COM1, SERIAL_16550_COM2, SERIAL_16550_COM3,
                                     SERIAL_16550_COM4};
    return number < sizeof(PORTS) / sizeof(PORTS[0]) ? PORTS[number] : 0;
}

/* A port that was given up stays given up, and one that works is not reset. */
bool arch_serial_initialise(uint16_t port)
{
    if (uart.is_present && uart.base == port)
        return true;
    return serial_16550_initialise(&uart, port);
}

void arch_serial_write(const char *text, size_t length_bytes)
{
    serial_16550_write(&uart, text, length_bytes);
}

bool arch_serial_take(uint16_t port, uint8_t *ret_byte)
{
    const struct serial_16550 any = {.base = port, .is_present = true};
    return port != 0 && serial_16550_take(&any, ret_byte);
}
