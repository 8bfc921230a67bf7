/*
 * stop.h - the end of a boot that failed.
 */
#ifndef BOOTLOADER_STOP_H
#define BOOTLOADER_STOP_H

#include "bootloader/loader.h"

/* Report last_failure, free all memory, and return the status that efi_main() returns to the
 * firmware. Without a failure, an EFI application has ended, and nothing is reported. After the exit
 * of boot services no return is possible, so the machine stops. */
EFI_STATUS stop_loader(struct loader *loader);

#endif
