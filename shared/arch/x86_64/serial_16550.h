/*
 * serial_16550.h - a UART of type 16550, polled: 115200 baud, 8N1. The loader's and the kernel's
 * way to COM1 without firmware. (National Semiconductor PC16550D data sheet.)
 *
 * Phase: any. Concurrency: the caller serialises calls on one port.
 */
#ifndef SHARED_ARCH_X86_64_SERIAL_16550_H
#define SHARED_ARCH_X86_64_SERIAL_16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_16550_COM1 0x3f8

/* Begins as zeros: a port that is absent, and that loses what is written. */
struct serial_16550 {
    uint16_t base; /* the first of its eight I/O ports */
    bool is_present;
    bool is_stalled; /* it did not take the last byte in time */
};

/* Find the UART at `base` and set it up. False if no UART is there. */
bool serial_16550_initialise(struct serial_16550 *port, uint16_t base);

/* Write text; a newline is sent as CR LF. A port that does not take a byte in time loses it. After
 * that every byte is tried only once, until the port takes one. So a machine with a serial line that
 * hangs still reaches its end. */
void serial_16550_write(struct serial_16550 *port, const char *text, size_t size_bytes);

/* Take a byte that has arrived. False, and *ret_byte not written, if no byte has. */
bool serial_16550_take(const struct serial_16550 *port, uint8_t *ret_byte);

#endif
