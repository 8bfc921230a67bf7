/*
 * list.h - read handoff.conf and the files of entries, and list the entries.
 */
#ifndef BOOTLOADER_LIST_H
#define BOOTLOADER_LIST_H

#include "bootloader/loader.h"

/* Open the volume of the loader. Read handoff.conf beside the loader's file, or else in the root, and
 * the files in ENTRY_FOLDER. A missing file, and an empty one, mean the defaults.
 * Failures: NO_VOLUME, NETWORK_START, CONFIG, INJECT, FILE_*, OUT_OF_MEMORY, BAD_ALLOCATION. */
bool list_entries(struct loader *loader);

/* Close the volume, and free the texts of the entries. From now on the list has no texts. It does
 * nothing the second time. */
void list_close(struct loader *loader);

#endif
