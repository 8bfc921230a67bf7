/*
 * console.h - what the loader says while the firmware is there.
 *
 * Printing through firmware takes more time than anything else in the loader. So lines are collected
 * in memory and shown together: at the start, before the firmware is left, and for an error. All
 * lines stay in memory and are handed to the kernel.
 *
 * Serial: many machines show the firmware's console on the serial line as well, others do not.
 * Lines of a normal boot go to the firmware's console only (the kernel shows them again). An error
 * is also written to the serial port directly, so that nobody misses it. If the firmware's ConOut
 * variable names a serial port (UEFI 2.10, section 3.3), the firmware writes it there, and the
 * loader does not.
 */
#ifndef BOOTLOADER_FIRMWARE_CONSOLE_H
#define BOOTLOADER_FIRMWARE_CONSOLE_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/loader_log.h"

struct console {
    const struct firmware *firmware;
    size_t shown_size_bytes; /* the part of the log that has been shown */
    struct loader_log log;
};

/* Precondition: `firmware` outlives the console. A ConOut of NULL is legal: nothing is shown. */
void console_initialise(struct console *console, const struct firmware *firmware);

/* Add one line to the log; the newline is added (see loader_log.h). Any phase. */
void console_log(struct console *console, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, marked as a warning: something is wrong, the boot goes on in a defined state. */
void console_warn(struct console *console, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Show what has not been shown yet on the firmware's console. Does nothing once the firmware is
 * sealed. */
void console_show(struct console *console);

/* Show everything pending and then `report`, which also goes to the serial port (see above) and
 * the log.
 * Precondition: the firmware is not sealed. */
void console_show_error(struct console *console, const char *report);

/* Let a person read: wait for a key, but no longer than `seconds`. Returns at once if the firmware
 * has no keyboard. Precondition: the firmware is not sealed. */
void console_wait_for_key(struct console *console, unsigned seconds);

#endif
