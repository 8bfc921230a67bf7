/*
 * tpm.h - measure bytes into a TPM 2.0, through the firmware (TCG EFI Protocol Specification, 2016,
 * chapter 6).
 *
 * The firmware hashes the bytes for each active bank, extends a register (PCR) of the TPM, and adds
 * an event to its log. Only before the exit of boot services.
 */
#ifndef BOOTLOADER_FIRMWARE_TPM_H
#define BOOTLOADER_FIRMWARE_TPM_H

#include "bootloader/firmware/firmware.h"

struct tpm {
    void *protocol; /* NULL without a TPM 2.0 */
};

/* Look for a TPM that works. */
void tpm_find(struct tpm *ret_tpm);

/* Measure `size_bytes` bytes, at least 1, into register `pcr`. `text`, of at most
 * TPM_TEXT_LIMIT_BYTES, becomes the data of the event. Return the firmware's status.
 * EFI_VOLUME_FULL: the register has the bytes, and the log is full. */
#define TPM_TEXT_LIMIT_BYTES 1100
EFI_STATUS tpm_measure(const struct tpm *tpm, unsigned pcr, const void *bytes, uint64_t size_bytes,
                       const char *text);

#endif
