/*
 * details.h - the details of an entry as a text for the menu: its files, and their hashes.
 */
#ifndef BOOTLOADER_DETAILS_H
#define BOOTLOADER_DETAILS_H

#include "bootloader/loader.h"

/* Write the details of an entry, one fact a line. Its files are opened. The values of the entry are
 * in loader->config afterwards. Longer text is cut. */
void details_write(struct loader *loader, struct entry *entry, char *text, size_t capacity_bytes);

#endif
