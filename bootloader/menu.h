/*
 * menu.h - let a person choose an entry.
 */
#ifndef BOOTLOADER_MENU_H
#define BOOTLOADER_MENU_H

#include "bootloader/loader.h"

struct menu_wish {
    struct entry *entry; /* selected at first; NULL: none can be started */
    unsigned seconds;    /* until it starts by itself; 0: never */
    const char *message; /* shown until the next key; NULL: none */
};

/* Return whether a person holds a key of the menu down: Space or Escape. */
bool menu_is_wanted(struct loader *loader);

/* Show the menu until an entry is chosen. Return it. *ret_line is the edited command line, or NULL.
 */
struct entry *menu_run(struct loader *loader, const struct menu_wish *wish, const char **ret_line);

#endif
