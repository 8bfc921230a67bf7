/*
 * serial.h - read from the serial port, for keys.c.
 */
#ifndef KERNEL_ARCH_X86_64_SERIAL_H
#define KERNEL_ARCH_X86_64_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* Take a byte that has arrived. Return false, and do not write *ret_byte, if no byte has
 * arrived. */
bool serial_take(uint8_t *ret_byte);

#endif
