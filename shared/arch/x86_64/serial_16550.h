/*
 * serial_16550.h - a UART of type 16550, polled: 115200 baud, 8N1. Loader and kernel use COM1
 * through it without firmware. (National Semiconductor PC16550D data sheet.)
 *
 * Phase: any. Concurrency: the caller serialises calls on one port.
 */
#ifndef SHARED_ARCH_X86_64_SERIAL_16550_H
#define SHARED_ARCH_X86_64_SERIAL_16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_16550_COM1 0x3f8

/* It begins as zeros: an absent port, which loses all bytes. */
struct serial_16550 {
    uint16_t base; /* the first of its eight I/O ports */
    bool is_present;
    bool is_stalled; /* it did not accept the last byte in time */
};

/* Find the UART at `base`, and set it up. Return false if there is no UART. */
bool serial_16550_initialise(struct serial_16550 *port, uint16_t base);

/* Write text. A newline is sent as CR LF. If a port does not accept a byte in time, the byte is
 * lost. From then on the function does not wait, until the port accepts a byte again. So a machine
 * with a hung serial line still completes its boot. */
void serial_16550_write(struct serial_16550 *port, const char *text, size_t size_bytes);

/* Take a byte that has arrived. Return false, and do not write *ret_byte, if no byte has arrived.
 */
bool serial_16550_take(const struct serial_16550 *port, uint8_t *ret_byte);

#endif
