/*
 * ready_keys.h - the keys and their actions after the boot, while the kernel stays.
 *
 * Pure. Phase: [ready].
 */
#ifndef KERNEL_BOOT_READY_KEYS_H
#define KERNEL_BOOT_READY_KEYS_H

#include <stdbool.h>

/* The list of keys, for users. */
#define READY_KEYS_TEXT "p power off, r restart, h help"

enum ready_action {
    READY_NOTHING,
    READY_POWER_OFF,
    READY_RESTART,
    READY_HELP,
    READY_HINT, /* an unknown key: print the list of keys */
};

/* It begins as zeros. */
struct ready_keys {
    bool is_hinted; /* for keys of the line that is being typed */
};

/* Return the action for a key. A line without a known key causes one hint, not one per letter. */
enum ready_action ready_keys_decide(struct ready_keys *keys, char key);

#endif
