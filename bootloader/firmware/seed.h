/*
 * seed.h - random bytes for the kernel, from the firmware or from the CPU.
 */
#ifndef BOOTLOADER_FIRMWARE_SEED_H
#define BOOTLOADER_FIRMWARE_SEED_H

#include "bootloader/firmware/firmware.h"
#include "shared/handoff.h"

#define SEED_SIZE_BYTES 32

/* Fill the seed, and return its source. The seed is all zero if there is no source. */
enum handoff_seed_source seed_gather(uint8_t ret_seed[SEED_SIZE_BYTES]);

#endif
