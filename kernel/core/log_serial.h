/*
 * log_serial.h - the serial port as a sink of the log.
 */
#ifndef KERNEL_CORE_LOG_SERIAL_H
#define KERNEL_CORE_LOG_SERIAL_H

#include <stdint.h>

/* Open the serial port at an I/O port, and show the log there from its beginning. 0 chooses that
 * there is no port. The first call counts. With `colour=on` on the command line, the lines have
 * colours (log_colour.h): the kernel cannot ask what reads the port. */
void log_serial_open(uint16_t port, const char *command_line);

/* Open the default port if no port was chosen yet. So a kernel that panics before it can trust its
 * handoff is not silent. */
void log_serial_open_default(void);

#endif
