/*
 * stop.h - the end of a boot that failed.
 */
#ifndef BOOTLOADER_STOP_H
#define BOOTLOADER_STOP_H

#include "bootloader/loader.h"

/* Say what went wrong, by loader->failure, give everything back, and return what efi_main() is to
 * return to the firmware. Where the firmware is gone already, there is nowhere to return to, and
 * the machine stops. */
EFI_STATUS stop_loader(struct loader *loader);

#endif
