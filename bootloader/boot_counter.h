/*
 * boot_counter.h - count the tries of an entry in the name of its file (pure/entry_name.h), before it
 * starts. So an entry that hangs or crashes uses up its tries, and other entries come before it.
 */
#ifndef BOOTLOADER_BOOT_COUNTER_H
#define BOOTLOADER_BOOT_COUNTER_H

#include "bootloader/loader.h"

/* Where the files of entries are. */
#define BOOT_COUNTER_FOLDER "\\handoff\\entries\\"

/* Use one try of the entry whose file has the name *name: ID+3.conf becomes ID+2-1.conf on the
 * medium, and in *name. Nothing to do if the name has no counter. Failures: BOOT_COUNTER, NO_VOLUME;
 * then the entry must not start. */
bool boot_counter_use_try(struct loader *loader, const char *file_name, struct entry_name *name);

#endif
