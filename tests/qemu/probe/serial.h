/*
 * serial.h - the first serial port, 115200 baud 8N1. The handoff does not describe the state of the
 * port, so the probe initialises it.
 */
#ifndef PROBE_SERIAL_H
#define PROBE_SERIAL_H

#include <stdint.h>

void serial_initialise(void);
void serial_write(const char *text);
/* Write 0x… without leading zeros. */
void serial_write_hexadecimal(uint64_t value);
void serial_write_decimal(uint64_t value);

#endif
