/*
 * console.h - the loader's output before the exit of boot services.
 *
 * Printing through firmware is the slowest operation of the loader: a character takes about 10,000
 * instructions. So lines are collected in memory and shown together: before a step in which a driver
 * of the firmware can hang, before boot services end, and for an error. All lines stay in memory and
 * are handed to the kernel.
 *
 * Serial: many machines show the firmware's console on the serial line too, others do not. Lines of
 * a normal boot go to the firmware's console only (the kernel shows them again). An error must
 * reach the user, so it is also written to the serial port directly. This is left out if that port
 * is the firmware's console (serial_choice.h). The error would appear twice there.
 *
 * Colours: the firmware knows the terminal of its console, so it gets attributes (UEFI 2.10, section
 * 12.4.6). The serial port itself gets sequences (ECMA-48, 8.3.117). The log has neither.
 */
#ifndef BOOTLOADER_FIRMWARE_CONSOLE_H
#define BOOTLOADER_FIRMWARE_CONSOLE_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/loader_log.h"
#include "bootloader/pure/serial_choice.h"
#include "shared/text/packed_text.h"

/* There is one console, which begins as zeros. ConOut may be NULL; then nothing is shown. */
struct console {
    size_t shown_size_bytes; /* the part of the log that has been shown */
    bool is_quiet;           /* nothing is shown before an error */
    bool has_colour;         /* warnings and the number of an error have a colour */
    struct loader_log log;
};
extern struct console console;

/* Add one line to the log; the newline is added (see loader_log.h). Any phase. */
void console_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a line that few boots have. The format is a literal, which the loader's file holds
 * packed. */
#define console_log_rare(format, ...)                                                              \
    console_log_packed(PACKED_FORMAT(format, ##__VA_ARGS__), ##__VA_ARGS__)
void console_log_packed(struct packed_text format, ...);

/* The same, marked as a warning: there is a problem, and the boot continues in a defined state. */
#define console_warn(format, ...)                                                                  \
    console_warn_packed(PACKED_FORMAT(format, ##__VA_ARGS__), ##__VA_ARGS__)
void console_warn_packed(struct packed_text format, ...);

/* Show the lines that are not shown yet on the firmware's console. Do nothing if the console is
 * quiet, or once the firmware is sealed. */
void console_show(void);

/* Show the pending lines and then text that does not go to the log. It stays in one line of the
 * screen if it begins with a CR. Do nothing as above. */
void console_show_passing(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* End the quiet. Show everything pending and then `report`, which also goes to the serial port (see
 * above) and the log.
 * Precondition: the firmware is not sealed. */
void console_show_error(const char *report, const struct serial_choice *serial);

#endif
