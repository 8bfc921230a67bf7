/*
 * boot_record.h - the boot record (shared/post_mortem.h): show the one of the last boot, and begin
 * one for this boot.
 *
 * Nothing here stops a boot. Without the pages there is a warning, and no record.
 */
#ifndef BOOTLOADER_BOOT_RECORD_H
#define BOOTLOADER_BOOT_RECORD_H

#include "bootloader/loader.h"

/* Reserve the pages at their fixed address, show the record of the last boot, and begin a new one.
 */
void boot_record_begin(struct loader *loader);

/* With `post_mortem=nvram`: copy the record of the last boot into an EFI variable, if it differs.
 * Precondition: the configuration was read. */
void boot_record_keep(struct loader *loader);

/* Store how far this boot has come. Any phase. */
void boot_record_set_stage(struct loader *loader, enum post_mortem_stage stage);

#endif
