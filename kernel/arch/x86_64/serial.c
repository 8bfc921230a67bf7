/*
 * serial.c - the kernel's serial port.
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/serial_16550.h"

static struct serial_16550 uart;

uint16_t arch_serial_default_port(void)
{
    return SERIAL_16550_COM1;
}

bool arch_serial_initialise(uint16_t port)
{
    return serial_16550_initialise(&uart, port);
}

void arch_serial_write(const char *text, size_t length_bytes)
{
    serial_16550_write(&uart, text, length_bytes);
}

bool arch_serial_take(uint8_t *ret_byte)
{
    return serial_16550_take(&uart, ret_byte);
}
