/*
 * start_state.h - the part of the loader's state about the Boot Loader Interface and the command
 * line.
 */
#ifndef BOOTLOADER_START_STATE_H
#define BOOTLOADER_START_STATE_H

#include <stdbool.h>

#include "bootloader/pure/entry_name.h"

struct start_state {
    char one_shot[CONFIG_ID_CAPACITY];          /* of the EFI variables; empty if absent */
    char default_entry[CONFIG_ID_CAPACITY];     /* LoaderEntryDefault */
    char last[CONFIG_ID_CAPACITY];              /* the entry of the last boot */
    bool writes_variables;                      /* of the interface */
    char options[CONFIG_COMMAND_LINE_CAPACITY]; /* the load options; empty if they are not used */
    const char *command_line_source;            /* a constant; NULL: handoff.conf, or the entry */
};

#endif
