/*
 * config_value.h - check and store values of handoff.conf. For config*.c only.
 *
 * Pure. On failure the destination may be written, and the caller discards it.
 */
#ifndef BOOTLOADER_PURE_CONFIG_VALUE_H
#define BOOTLOADER_PURE_CONFIG_VALUE_H

#include "bootloader/pure/config.h"
#include "shared/text/piece.h"

/* Return true if the value has only printable ASCII. */
bool config_value_is_printable(struct piece value);

/* Check a path from the root of the volume, in ASCII, without "..". Write it with '\\' at its start
 * and between its names, and a NUL. */
enum config_status config_value_path(struct piece value, char path[CONFIG_PATH_CAPACITY]);

/* Store the value of `temp_heap`. */
enum config_status config_heaps_store(struct piece value, struct config *config);

/* Add a module. */
enum config_status config_module_begin(struct piece value, struct config *config);

/* Store a value of the last module. Precondition: there is one. */
enum config_status config_module_store_name(struct piece value, struct config *config);
enum config_status config_module_store_command_line(struct piece value, struct config *config);
enum config_status config_module_store_alignment(struct piece value, struct config *config);
enum config_status config_module_store_sha256(struct piece value, struct config *config);

#endif
