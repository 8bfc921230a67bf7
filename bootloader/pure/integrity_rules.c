#include "bootloader/pure/integrity_rules.h"

enum hash_verdict hash_judge(const struct piece *enrolled, const struct sha256 *wanted,
                             const struct sha256 *found)
{
    if (enrolled != NULL && !enrolment_has(*enrolled, found))
        return HASH_NOT_ENROLLED;
    return wanted == NULL || sha256_equals(wanted, found) ? HASH_ADMITTED : HASH_NOT_WANTED;
}

bool tpm_wish_parse(struct piece text, enum tpm_wish *ret_wish)
{
    if (piece_equals(text, "off"))
        *ret_wish = TPM_WISH_OFF;
    else if (piece_equals(text, "on"))
        *ret_wish = TPM_WISH_ON;
    else if (piece_equals(text, "demand"))
        *ret_wish = TPM_WISH_DEMAND;
    else
        return false;
    return true;
}

enum tpm_outcome tpm_absent_outcome(enum tpm_wish wish)
{
    if (wish == TPM_WISH_DEMAND)
        return TPM_STOP;
    return wish == TPM_WISH_ON ? TPM_WARN : TPM_GO_ON;
}

enum tpm_outcome tpm_failed_outcome(enum tpm_wish wish)
{
    if (wish == TPM_WISH_DEMAND)
        return TPM_STOP;
    return wish == TPM_WISH_OFF ? TPM_GO_ON : TPM_WARN;
}
