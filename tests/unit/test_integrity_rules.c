/*
 * test_integrity_rules.c - what follows from a file's hash and from a TPM's answer: all cases.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/integrity_rules.h"

#define FOUND   "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER   "1111111111111111111111111111111111111111111111111111111111111110"
#define PRESENT FOUND "  kernel.elf\n"
#define ABSENT  OTHER "  kernel.elf\n"

static struct sha256 hash_of_digits(const char *digits)
{
    struct sha256 hash;
    assert_true(sha256_parse((struct piece){digits, strlen(digits)}, &hash));
    return hash;
}

/* NULL: Secure Boot is off; no hash is wanted. */
static enum hash_verdict judge(const char *list, const char *wanted_digits)
{
    struct sha256 found = hash_of_digits(FOUND);
    struct sha256 wanted = hash_of_digits(wanted_digits != NULL ? wanted_digits : OTHER);
    struct piece enrolled = {list, list != NULL ? strlen(list) : 0};
    return hash_check(list != NULL ? &enrolled : NULL, wanted_digits != NULL ? &wanted : NULL,
                      &found);
}

static void test_I1_I2_verdict_of_each_case(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, NULL), HASH_ADMITTED);
    assert_int_equal(judge(NULL, FOUND), HASH_ADMITTED);
    assert_int_equal(judge(NULL, OTHER), HASH_NOT_WANTED);
    assert_int_equal(judge(PRESENT, NULL), HASH_ADMITTED);
    assert_int_equal(judge(PRESENT, FOUND), HASH_ADMITTED);
    assert_int_equal(judge(PRESENT, OTHER), HASH_NOT_WANTED);
    assert_int_equal(judge(ABSENT, NULL), HASH_NOT_ENROLLED);
    assert_int_equal(judge(ABSENT, FOUND), HASH_NOT_ENROLLED);
    assert_int_equal(judge(ABSENT, OTHER), HASH_NOT_ENROLLED);
    assert_int_equal(judge("", NULL), HASH_NOT_ENROLLED);
    assert_int_equal(judge("", FOUND), HASH_NOT_ENROLLED);
}

static void test_I1_each_changed_bit_is_refused(void **state)
{
    (void)state;
    struct sha256 wanted = hash_of_digits(FOUND);
    struct piece enrolled = {PRESENT, sizeof(PRESENT) - 1};
    for (unsigned bit = 0; bit < 8 * SHA256_SIZE_BYTES; bit++) {
        struct sha256 found = wanted;
        found.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(hash_check(&enrolled, NULL, &found), HASH_NOT_ENROLLED);
        assert_int_equal(hash_check(NULL, &wanted, &found), HASH_NOT_WANTED);
    }
}

static bool parses(const char *text, enum tpm_wish *ret_wish)
{
    return tpm_wish_parse((struct piece){text, strlen(text)}, ret_wish);
}

static void test_words_of_the_key(void **state)
{
    (void)state;
    enum tpm_wish wish = TPM_WISH_AUTOMATIC;
    assert_true(parses("off", &wish) && wish == TPM_WISH_OFF);
    assert_true(parses("on", &wish) && wish == TPM_WISH_ON);
    assert_true(parses("demand", &wish) && wish == TPM_WISH_DEMAND);
    wish = TPM_WISH_OFF;
    assert_false(parses("", &wish) || parses("demands", &wish) || parses("ON", &wish));
    assert_int_equal(wish, TPM_WISH_OFF);
}

static void test_I4_absent_tpm(void **state)
{
    (void)state;
    assert_int_equal(tpm_absent_outcome(TPM_WISH_AUTOMATIC), TPM_GO_ON);
    assert_int_equal(tpm_absent_outcome(TPM_WISH_OFF), TPM_GO_ON);
    assert_int_equal(tpm_absent_outcome(TPM_WISH_ON), TPM_WARN);
    assert_int_equal(tpm_absent_outcome(TPM_WISH_DEMAND), TPM_STOP);
}

static void test_I5_failing_tpm(void **state)
{
    (void)state;
    assert_int_equal(tpm_failed_outcome(TPM_WISH_AUTOMATIC), TPM_WARN);
    assert_int_equal(tpm_failed_outcome(TPM_WISH_OFF), TPM_GO_ON);
    assert_int_equal(tpm_failed_outcome(TPM_WISH_ON), TPM_WARN);
    assert_int_equal(tpm_failed_outcome(TPM_WISH_DEMAND), TPM_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I1_I2_verdict_of_each_case),
        cmocka_unit_test(test_I1_each_changed_bit_is_refused),
        cmocka_unit_test(test_words_of_the_key),
        cmocka_unit_test(test_I4_absent_tpm),
        cmocka_unit_test(test_I5_failing_tpm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
