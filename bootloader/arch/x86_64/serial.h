/*
 * serial.h - COM1 without the firmware: a 16550 at port 0x3f8, 115200 baud, 8N1, polled.
 */
#ifndef BOOTLOADER_ARCH_X86_64_SERIAL_H
#define BOOTLOADER_ARCH_X86_64_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

/* Set the port up. False if there is none. */
bool serial_initialise(void);

/* Write text; a newline is sent as CR LF. A port that does not take a byte in time loses it: a
 * machine whose serial line hangs must still reach its end.
 * Precondition: serial_initialise() said true. */
void serial_write(const char *text, size_t size_bytes);

#endif
