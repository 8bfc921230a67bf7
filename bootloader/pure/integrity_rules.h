/*
 * integrity_rules.h - the decisions about a file's hash, and about a TPM's answer.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_INTEGRITY_RULES_H
#define BOOTLOADER_PURE_INTEGRITY_RULES_H

#include "bootloader/pure/enrolment.h"

enum hash_verdict {
    HASH_ADMITTED,
    HASH_NOT_ENROLLED, /* Secure Boot is on, and the signed loader does not have this hash */
    HASH_NOT_WANTED,   /* the configuration names another hash */
};

/* Check a file.
 *   enrolled  the list of the signed loader; NULL while Secure Boot is off
 *   wanted    the hash from the configuration, or NULL
 *   found     the file's hash */
enum hash_verdict hash_check(const struct piece *enrolled, const struct sha256 *wanted,
                             const struct sha256 *found);

/* The key `tpm` of the configuration. */
enum tpm_wish {
    TPM_WISH_AUTOMATIC = 0, /* measure if there is a TPM */
    TPM_WISH_OFF,
    TPM_WISH_ON,
    TPM_WISH_DEMAND,
};

/* Return false for an unknown word. */
bool tpm_wish_parse(struct piece text, enum tpm_wish *ret_wish) __attribute__((warn_unused_result));

enum tpm_outcome {
    TPM_GO_ON,
    TPM_WARN,
    TPM_STOP,
};

/* Return the outcome without a TPM, and the outcome after a failed measurement. */
enum tpm_outcome tpm_absent_outcome(enum tpm_wish wish);
enum tpm_outcome tpm_failed_outcome(enum tpm_wish wish);

#endif
