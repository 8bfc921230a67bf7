/*
 * serial_port.h - the machine's serial port, as configuration and firmware name it.
 */
#ifndef BOOTLOADER_FIRMWARE_SERIAL_PORT_H
#define BOOTLOADER_FIRMWARE_SERIAL_PORT_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/firmware_tables.h"
#include "bootloader/pure/serial_choice.h"

/* Choose the port. Log the choice if it is not the default. Warn if handoff.conf names a port where
 * no UART answers. Only before the exit of boot services. */
void serial_port_choose(const struct firmware_tables *tables, const struct serial_wish *wish,
                        struct serial_choice *ret_choice);

#endif
