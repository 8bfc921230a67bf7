/*
 * choose.h - choose the entry that is started next.
 */
#ifndef BOOTLOADER_CHOOSE_H
#define BOOTLOADER_CHOOSE_H

#include "bootloader/loader.h"

/* Choose an entry, and write its values to loader->config. After an entry that could not be loaded,
 * call it again: it does not choose this entry by itself again. Failures: NO_ENTRY; for a
 * handoff.conf without entries, the error of the last try. Without a failure, an EFI application has
 * ended, and nobody can choose. */
bool choose_entry(struct loader *loader);

#endif
