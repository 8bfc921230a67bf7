/*
 * begin.h - the first steps: open the console, and find the loader's image in memory.
 */
#ifndef BOOTLOADER_BEGIN_H
#define BOOTLOADER_BEGIN_H

#include "bootloader/loader.h"

/* Store the arguments of the entry point, switch the firmware's watchdog off, and log it. */
void begin_loader(struct loader *loader, EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Refuse a confidential guest, before something in it can fail without a message. Failure:
 * CONFIDENTIAL_GUEST. */
bool begin_check_guest(void);

/* Find the loader's image in memory, with its sections. Failures: NO_LOADED_IMAGE,
 * BAD_LOADER_IMAGE. */
bool begin_find_origin(struct loader *loader);

#endif
