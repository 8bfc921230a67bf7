/*
 * boot_interface.h - the variables of systemd's Boot Loader Interface: an operating system reads in
 * them what started it, and chooses the entry of the next boot.
 *
 * The variables cost a boot more than all else that it does: EDK II clears 256 KiB for each write.
 * So they are written only if there is something to choose, or if another EFI application starts.
 * After a failure, which is a warning, no other variable is written, and the boot goes on.
 */
#ifndef BOOTLOADER_BOOT_INTERFACE_H
#define BOOTLOADER_BOOT_INTERFACE_H

#include "bootloader/loader.h"

/* Write LoaderInfo, LoaderFeatures and LoaderDevicePartUUID. Read the choices of the operating
 * system into loader->start; LoaderEntryOneShot is deleted. Without this call, the other functions
 * write nothing. */
void boot_interface_begin(struct loader *loader);

/* Write LoaderEntries and LoaderEntrySelected. `ids` has `size_bytes` bytes: texts with a NUL each. */
void boot_interface_publish(struct loader *loader, const char *ids, size_t size_bytes,
                            const char *chosen);

/* Keep the chosen entry for the next boot, if it is another one than loader->start.last. */
void boot_interface_remember(struct loader *loader, const char *chosen);

/* Write LoaderTimeInitUSec and LoaderTimeExecUSec. Nothing if the clock's frequency is 0. */
void boot_interface_write_times(struct loader *loader, uint64_t clock_hz);

/* Write LoaderBootCountPath, which a system needs to bless its entry. */
void boot_interface_write_count_path(struct loader *loader, const char *path);

#endif
