/*
 * serial_choice.h - choose the serial port that loader and kernel write to without the firmware.
 *
 * `serial` in handoff.conf decides. Without it the port is, in this order: the port of the
 * firmware's console (the ConOut variable), the port of ACPI's SPCR table, the first port (COM1).
 *
 * Pure. The device path and the table are foreign bytes: every length is checked. Fuzzed by
 * tests/fuzz/fuzz_serial_choice.c. Sources: UEFI 2.10, sections 3.3, 10.3.3 and 10.3.4.17; the SPCR
 * table of Microsoft, revision 1.10.
 */
#ifndef BOOTLOADER_PURE_SERIAL_CHOICE_H
#define BOOTLOADER_PURE_SERIAL_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_PORT_FIRST  UINT64_C(0x100) /* the ports below belong to the board */
#define SERIAL_PORT_LAST   UINT64_C(0xfff8)
#define SERIAL_NUMBER_LAST 4

enum serial_wish_kind {
    SERIAL_WISH_AUTOMATIC = 0,
    SERIAL_WISH_OFF,
    SERIAL_WISH_NUMBER, /* COM1 to COM4 */
    SERIAL_WISH_PORT,   /* an I/O port */
};

/* The value of `serial` in handoff.conf. */
struct serial_wish {
    enum serial_wish_kind kind;
    uint16_t value; /* 1 to SERIAL_NUMBER_LAST, or a port */
};

/* The serial ports in the device path of the firmware's console. */
struct serial_console {
    bool has_unknown;      /* a port whose number is unknown */
    unsigned first_number; /* of the first port with a number; 1 is COM1; 0 without one */
    unsigned number_bits;  /* bit n: COMn */
};

struct serial_choice {
    uint16_t port;            /* 0: none */
    const char *source;       /* for the log */
    bool is_firmware_console; /* the firmware's console writes to it, too */
};

/* Read `serial = ` of handoff.conf: `COM1` to `COM4`, a port number, or `off`. Return false, and do
 * not write *ret_wish, for any other text. */
bool serial_wish_parse(const char *text, size_t length, struct serial_wish *ret_wish);

/* Find the serial ports in a device path, which may have several instances. *console begins as
 * zeros. */
void serial_console_find(const uint8_t *path, size_t size_bytes, struct serial_console *console);

/* Return the I/O port of an SPCR table; 0 if it has none, or if it has a device of another kind. */
uint16_t serial_choice_spcr_port(const uint8_t *table, uint64_t size_bytes);

/* Choose. `port_of_number(n)` returns the I/O port of COMn. `spcr_port` is 0 without one. */
void serial_choose(const struct serial_wish *wish, const struct serial_console *console,
                   uint16_t spcr_port, uint16_t (*port_of_number)(unsigned number),
                   struct serial_choice *ret_choice);

#endif
