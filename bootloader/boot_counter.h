/*
 * boot_counter.h - count the tries of an entry in the name of its file (pure/entry_name.h), before it
 * starts. So an entry that hangs or crashes uses up its tries, and other entries come before it.
 */
#ifndef BOOTLOADER_BOOT_COUNTER_H
#define BOOTLOADER_BOOT_COUNTER_H

#include "bootloader/loader.h"

/* Use one try of an entry: its file ID+3.conf becomes ID+2-1.conf. Nothing to do if the name has no
 * counter. Failure: BOOT_COUNTER; then the entry must not start. */
bool boot_counter_use_try(struct loader *loader, struct entry *entry);

#endif
