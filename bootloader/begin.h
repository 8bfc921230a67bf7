/*
 * begin.h - the first steps: a console, and who we are.
 */
#ifndef BOOTLOADER_BEGIN_H
#define BOOTLOADER_BEGIN_H

#include "bootloader/loader.h"

/* Take the entry point's arguments, switch the firmware's watchdog off, and say so. */
void begin_loader(struct loader *loader, EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Find our own image in memory, with its sections. Failures: NO_LOADED_IMAGE, BAD_LOADER_IMAGE. */
bool begin_find_origin(struct loader *loader);

#endif
