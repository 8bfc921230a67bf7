/*
 * serial.c - COM1, the loader's serial port without the firmware.
 */
#include "bootloader/arch.h"
#include "shared/arch/x86_64/serial_16550.h"

static struct serial_16550 com1;

bool arch_serial_initialise(void)
{
    return serial_16550_initialise(&com1, SERIAL_16550_COM1);
}

void arch_serial_write(const char *text, size_t length_bytes)
{
    serial_16550_write(&com1, text, length_bytes);
}
