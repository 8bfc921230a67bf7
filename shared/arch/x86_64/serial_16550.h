/*
 * serial_16550.h - a UART of type 16550, polled: 115200 baud, 8N1. Loader and kernel use one
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
#define SERIAL_16550_COM2 0x2f8
#define SERIAL_16550_COM3 0x3e8
#define SERIAL_16550_COM4 0x2e8

/* The last port at which eight of them fit. */
#define SERIAL_16550_LAST_PORT 0xfff8

/* It begins as zeros: an absent port, which loses all bytes. */
struct serial_16550 {
    uint16_t base; /* the first of its eight I/O ports */
    bool is_present;
    uint64_t patience_ticks; /* for how long it may still delay us; 0: it was given up */
};

/* Find the UART at `base`, and set it up. Return false if there is no UART. 0 stands for none. */
bool serial_16550_initialise(struct serial_16550 *port, uint16_t base);

/* Write text. A newline is sent as CR LF. A port that does not take a byte in time is given up, and
 * all further text is lost. So a machine with a hung serial line still completes its boot. */
void serial_16550_write(struct serial_16550 *port, const char *text, size_t size_bytes);

/* Take a byte that has arrived. Return false, and do not write *ret_byte, if no byte has arrived.
 */
bool serial_16550_take(const struct serial_16550 *port, uint8_t *ret_byte);

#endif
