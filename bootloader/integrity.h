/*
 * integrity.h - check and measure the loaded files: hashes, Secure Boot, a TPM (docs/SECURE-BOOT.md).
 *
 * While Secure Boot is on, the loader accepts only files whose SHA-256 its own signed image has. A
 * hash in the configuration is always checked. If there is a TPM, each file is measured before its
 * first use. The caller reads a file into memory once, calls integrity_admit(), and uses these bytes
 * only. So a volume that gives other bytes at a second reading cannot change what was checked.
 */
#ifndef BOOTLOADER_INTEGRITY_H
#define BOOTLOADER_INTEGRITY_H

#include "bootloader/firmware/tpm.h"
#include "bootloader/pure/integrity_rules.h"

struct file;
struct loader;

enum integrity_kind {
    INTEGRITY_CONFIG,
    INTEGRITY_ENTRY_FILE,
    INTEGRITY_KERNEL,
    INTEGRITY_MODULE,
    INTEGRITY_EFI_APPLICATION, /* the firmware itself measures it, into PCR 4 */
};

/* A part of struct loader. It begins as zeros. */
struct integrity {
    struct tpm tpm;
    EFI_STATUS measure_status; /* of the last measurement that failed */
    bool is_secure;
    bool is_kernel_checked; /* it has the hash that was wanted */
};

/* Ask the firmware for Secure Boot and for a TPM. */
void integrity_begin(struct loader *loader);

/* Return true while Secure Boot is on. Then a person at the machine must not change the boot: no
 * edited command line, no load options, no `inject`, no `kaslr=off`. */
bool integrity_is_secure(const struct loader *loader);

/* Return true if a file with this wanted hash (NULL: none) has to be in memory as a whole before
 * its use. Otherwise integrity_admit() has nothing to do. */
bool integrity_needs_bytes(const struct loader *loader, const struct sha256 *wanted);

/* Check a file whose bytes are in memory, and measure it. `wanted` is its hash from the
 * configuration, or NULL. If it returns false, last_failure has the reason, with both hashes.
 * Failures: NOT_ENROLLED, WRONG_HASH, NOT_MEASURED. */
bool integrity_admit(struct loader *loader, enum integrity_kind kind, const struct file *file,
                     const struct sha256 *wanted) __attribute__((warn_unused_result));

/* The same for the file of the kernel, if it is necessary. The file is then kept in memory. Further
 * failures: as file_keep(). */
bool integrity_admit_kernel(struct loader *loader, struct file *file)
    __attribute__((warn_unused_result));

/* Measure the command line, once the configuration is complete, and before anything of the entry is
 * loaded. Here the key `tpm` takes effect. Failure: NOT_MEASURED. */
bool integrity_measure_command_line(struct loader *loader) __attribute__((warn_unused_result));

/* Return HANDOFF_INTEGRITY_* for the handoff. */
uint32_t integrity_flags(const struct loader *loader);

#endif
