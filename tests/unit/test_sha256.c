/*
 * test_sha256.c - SHA-256: the examples of FIPS 180-4, all lengths around a block compared with
 * Python's hashlib, and the text of 64 digits.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/sha256.h"

#define PATTERN_LIMIT 1000
#define MILLION       1000000

static void assert_hash(const void *bytes, size_t size_bytes, const char *expected)
{
    struct sha256 hash;
    char text[SHA256_TEXT_CAPACITY];
    sha256_of(bytes, size_bytes, &hash);
    sha256_format(&hash, text);
    assert_string_equal(text, expected);
}

static void test_examples_of_the_standard(void **state)
{
    (void)state;
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char *million = malloc(MILLION);
    assert_non_null(million);
    memset(million, 'a', MILLION);
    assert_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(two_blocks, sizeof(two_blocks) - 1,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_hash(million, MILLION,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* hashlib.sha256(b"".join(hashlib.sha256(bytes(i * 7 & 255 for i in range(n))).digest()
 *                         for n in range(1001))).hexdigest() */
static void test_every_length_equals_that_of_hashlib(void **state)
{
    (void)state;
    struct sha256 *all = malloc((PATTERN_LIMIT + 1) * sizeof(*all));
    assert_non_null(all);
    for (size_t length = 0; length <= PATTERN_LIMIT; length++) {
        /* Exactly this size and at an odd address, so that ASan finds a read outside. */
        uint8_t *pattern = malloc(length + 1);
        assert_non_null(pattern);
        for (size_t i = 0; i < length; i++)
            pattern[i + 1] = (uint8_t)(i * 7);
        sha256_of(pattern + 1, length, &all[length]);
        free(pattern);
    }
    assert_hash(all, (PATTERN_LIMIT + 1) * sizeof(*all),
                "29aa6a0f2d6c3f227ed1712dfe75a36df37bcd3a0664baef16f3f1ed5e63a420");
    free(all);
}

static bool parses(const char *text, struct sha256 *ret)
{
    return sha256_parse((struct piece){text, strlen(text)}, ret);
}

static void test_digits_of_both_cases(void **state)
{
    (void)state;
    struct sha256 lower;
    struct sha256 upper;
    char text[SHA256_TEXT_CAPACITY];
    assert_true(parses("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &lower));
    assert_true(parses("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", &upper));
    assert_true(sha256_equals(&lower, &upper));
    assert_int_equal(lower.bytes[0], 0xba);
    assert_int_equal(lower.bytes[31], 0xad);
    sha256_format(&upper, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    upper.bytes[31] ^= 1;
    assert_false(sha256_equals(&lower, &upper));
}

static void test_other_text_is_no_hash(void **state)
{
    (void)state;
    static const char good[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct sha256 hash;
    assert_false(parses("", &hash));
    assert_false(sha256_parse((struct piece){good, 63}, &hash));
    assert_false(
        parses("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", &hash));
    for (unsigned character = 0; character < 256; character++) {
        char changed[sizeof(good)];
        memcpy(changed, good, sizeof(good));
        changed[63] = (char)character;
        bool is_digit = character != 0 && strchr("0123456789abcdefABCDEF", (int)character) != NULL;
        assert_int_equal(sha256_parse((struct piece){changed, 64}, &hash), is_digit);
        changed[63] = 'd';
        changed[0] = (char)character;
        assert_int_equal(sha256_parse((struct piece){changed, 64}, &hash), is_digit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_standard),
        cmocka_unit_test(test_every_length_equals_that_of_hashlib),
        cmocka_unit_test(test_digits_of_both_cases),
        cmocka_unit_test(test_other_text_is_no_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
