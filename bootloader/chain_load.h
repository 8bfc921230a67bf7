/*
 * chain_load.h - start another EFI application in the place of a kernel: `efi = \path`.
 */
#ifndef BOOTLOADER_CHAIN_LOAD_H
#define BOOTLOADER_CHAIN_LOAD_H

#include "bootloader/loader.h"

/* Load the application at `path` on the open volume of loader->chooser, and start it with `options`
 * (empty for none). Secure Boot and the hash of the entry are honoured. Return true when it has
 * returned with success: the caller shows its menu again. An operating system does not return.
 * Failures: FILE_*, OUT_OF_MEMORY, BAD_ALLOCATION, NOT_ENROLLED, WRONG_HASH, PROGRAM_REFUSED,
 * PROGRAM_FAILED. */
bool chain_load(struct loader *loader, const char *path, const char *options);

#endif
