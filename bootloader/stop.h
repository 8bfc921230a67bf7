/*
 * stop.h - the end of a boot that failed.
 */
#ifndef BOOTLOADER_STOP_H
#define BOOTLOADER_STOP_H

#include "bootloader/loader.h"

/* Report loader->failure, give all memory back, and return the status for the firmware. If the
 * firmware is gone already, the machine stops. */
EFI_STATUS stop_loader(struct loader *loader);

#endif
