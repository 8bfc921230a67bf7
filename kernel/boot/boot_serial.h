/*
 * boot_serial.h - the serial port as a sink of the log.
 */
#ifndef KERNEL_BOOT_BOOT_SERIAL_H
#define KERNEL_BOOT_BOOT_SERIAL_H

#include <stdint.h>

/* Open the serial port at an I/O port (0: none), and show the log there from its beginning. Called
 * once. */
void boot_serial_open(uint16_t port);

#endif
