/*
 * system_tables.h - find the tables that the firmware publishes, in the firmware's address space.
 */
#ifndef BOOTLOADER_FIRMWARE_SYSTEM_TABLES_H
#define BOOTLOADER_FIRMWARE_SYSTEM_TABLES_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/firmware_tables.h"

/* List the entries of the configuration table, and the tables to which they lead. Log a warning for
 * damaged tables. */
void system_tables_list(struct firmware_tables *ret_tables);

/* Return access to the memory that the firmware has mapped at its physical address. Only before the
 * exit of boot services. */
struct firmware_tables_memory system_tables_memory(void);

#endif
