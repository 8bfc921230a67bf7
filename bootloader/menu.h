/*
 * menu.h - let a person choose an entry.
 */
#ifndef BOOTLOADER_MENU_H
#define BOOTLOADER_MENU_H

#include "bootloader/loader.h"

/* Return whether a person holds a key of the menu down: Space or Escape. */
bool menu_is_wanted(struct loader *loader);

/* Show the menu until an entry is chosen, and return it.
 *   entry     selected at first; NULL: none can be started
 *   seconds   until this entry starts by itself; 0: never
 *   message   shown until the next key; NULL: none
 *   ret_line  the edited command line, or NULL */
struct entry *menu_run(struct loader *loader, const struct entry *entry, unsigned seconds,
                       const char *message, const char **ret_line);

#endif
