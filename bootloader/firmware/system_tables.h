/*
 * system_tables.h - the tables that the firmware publishes, found in its own address space.
 */
#ifndef BOOTLOADER_FIRMWARE_SYSTEM_TABLES_H
#define BOOTLOADER_FIRMWARE_SYSTEM_TABLES_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/firmware_tables.h"

/* List the configuration table's entries and the tables that they lead to. Warn of corrupt ones. */
void system_tables_list(const struct firmware *firmware, struct console *console,
                        struct firmware_tables *ret_tables);

#endif
