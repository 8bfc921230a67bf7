#include "bootloader/pure/integrity_rules.h"

#include "bootloader/pure/text_part.h"

enum hash_verdict hash_check(const struct piece *enrolled, const struct sha256 *wanted,
                             const struct sha256 *found)
{
    if (enrolled != NULL && !enrolment_has(*enrolled, found))
        return HASH_NOT_ENROLLED;
    return wanted == NULL || sha256_equals(wanted, found) ? HASH_ADMITTED : HASH_NOT_WANTED;
}

bool tpm_wish_parse(struct piece text, enum tpm_wish *ret_wish)
{
    static const char words[] = "off\0on\0demand"; /* in the order of enum tpm_wish, from off on */
    unsigned word = 0;
    while (word < TPM_WISH_DEMAND && !piece_equals(text, text_part(words, word)))
        word++;
    if (word == TPM_WISH_DEMAND)
        return false;
    *ret_wish = (enum tpm_wish)(TPM_WISH_OFF + word);
    return true;
}

/* In the order of enum tpm_wish: automatic, off, on, demand. */
enum tpm_outcome tpm_absent_outcome(enum tpm_wish wish)
{
    static const uint8_t outcomes[] = {TPM_GO_ON, TPM_GO_ON, TPM_WARN, TPM_STOP};
    return (enum tpm_outcome)outcomes[wish];
}

enum tpm_outcome tpm_failed_outcome(enum tpm_wish wish)
{
    static const uint8_t outcomes[] = {TPM_WARN, TPM_GO_ON, TPM_WARN, TPM_STOP};
    return (enum tpm_outcome)outcomes[wish];
}
