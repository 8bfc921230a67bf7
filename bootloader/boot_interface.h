/*
 * boot_interface.h - the variables of systemd's Boot Loader Interface: an operating system reads the
 * name of the loader and of the entry in them, and chooses the entry of the next boot.
 *
 * Each write costs a boot about 280,000 instructions, because EDK II clears 256 KiB for it. So they
 * are written only if there is something to choose, or if another EFI application starts.
 * After a failure, which is a warning, the boot goes on, and no other volatile variable is written.
 */
#ifndef BOOTLOADER_BOOT_INTERFACE_H
#define BOOTLOADER_BOOT_INTERFACE_H

#include "bootloader/loader.h"

/* Write LoaderInfo, LoaderFeatures and LoaderDevicePartUUID. Read the choices of the operating
 * system into loader->start; LoaderEntryOneShot is deleted. Without this call, the other functions
 * write nothing. */
void boot_interface_begin(struct loader *loader);

/* Write LoaderEntries and LoaderEntrySelected, which is loader->chooser.chosen. Keep it as the last
 * entry, if handoff.conf wants it. */
void boot_interface_publish(struct loader *loader);

/* Write LoaderTimeInitUSec and LoaderTimeExecUSec. Nothing if the clock's frequency is 0. */
void boot_interface_write_times(struct loader *loader, uint64_t clock_hz);

/* Write LoaderBootCountPath, which a system needs to bless its entry. */
void boot_interface_write_count_path(struct loader *loader, const char *path);

#endif
