/*
 * menu_terminal.h - the screen and the keyboards of the menu: the firmware's console, and the serial
 * port, if the firmware's console does not use it.
 *
 * Only rows that have changed are written, because a character takes about 10,000 instructions. The
 * serial port gets sequences of ECMA-48. Only before the exit of boot services.
 */
#ifndef BOOTLOADER_FIRMWARE_MENU_TERMINAL_H
#define BOOTLOADER_FIRMWARE_MENU_TERMINAL_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/menu.h"
#include "bootloader/pure/serial_choice.h"

struct menu_terminal {
    uint16_t port; /* the serial port; 0: none */
    struct menu_key_reader reader;
    unsigned pause_polls; /* since the last byte */
    uint64_t clock_hz;    /* 0: unknown */
    uint64_t second_start_ticks;
    unsigned polls;                               /* in this second */
    unsigned cursor;                              /* the menu's, as it is shown */
    char rows[MENU_ROW_COUNT][MENU_ROW_CAPACITY]; /* as they are shown */
};

/* Clear the screens. */
void menu_terminal_open(struct menu_terminal *terminal, const struct serial_choice *serial,
                        uint64_t clock_hz);

/* Show what has changed. */
void menu_terminal_show(struct menu_terminal *terminal, const struct menu *menu);

/* Take a key. Without one, wait for 10 ms, and return MENU_KEY_NONE. */
unsigned menu_terminal_take(struct menu_terminal *terminal);

/* Return whether a second has passed since the last time. Keep the watchdog armed. */
bool menu_terminal_second(struct menu_terminal *terminal);

/* Clear the screens again. */
void menu_terminal_close(struct menu_terminal *terminal);

#endif
