/*
 * ready_keys.h - what the keys do once the boot is complete and the kernel stays.
 *
 * Pure. Phase: [ready].
 */
#ifndef KERNEL_BOOT_READY_KEYS_H
#define KERNEL_BOOT_READY_KEYS_H

#include <stdbool.h>

/* The keys that there are, for people. */
#define READY_KEYS_TEXT "p power off, r restart, h help"

enum ready_action {
    READY_NOTHING,
    READY_POWER_OFF,
    READY_RESTART,
    READY_HELP,
    READY_HINT, /* no such key: tell which there are */
};

/* Begins as zeros. */
struct ready_keys {
    bool is_hinted; /* for keys of the line that is being typed */
};

/* The action for a key. A line without a known key gets one hint, not one for each letter. */
enum ready_action ready_keys_decide(struct ready_keys *keys, char key);

#endif
