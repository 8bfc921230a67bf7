/*
 * serial.h - what comes in on the serial port, for keys.c.
 */
#ifndef KERNEL_ARCH_X86_64_SERIAL_H
#define KERNEL_ARCH_X86_64_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* Take a byte that has arrived on COM1. False, and *ret_byte not written, if no byte has. */
bool serial_take(uint8_t *ret_byte);

#endif
