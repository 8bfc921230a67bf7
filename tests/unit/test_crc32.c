#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "shared/crc32.h"
#include "shared/handoff.h"
#include "shared/handoff_checksum.h"

static void test_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
}

static void test_known_values(void **state)
{
    (void)state;
    static const uint8_t ZEROS[32] = {0};
    assert_int_equal(crc32_update(0, "", 0), 0);
    assert_int_equal(crc32_update(0, "a", 1), 0xe8b7be43);
    assert_int_equal(crc32_update(0, ZEROS, sizeof(ZEROS)), 0x190a55ad);
    assert_int_equal(crc32_update(0, "The quick brown fox jumps over the lazy dog", 43),
                     0x414fa339);
}

static void test_any_split_gives_the_same(void **state)
{
    (void)state;
    const char *text = "The quick brown fox jumps over the lazy dog";
    for (size_t split = 0; split <= 43; split++) {
        uint32_t crc = crc32_update(0, text, split);
        assert_int_equal(crc32_update(crc, text + split, 43 - split), 0x414fa339);
    }
}

static void test_handoff_checksum_ignores_its_own_field(void **state)
{
    (void)state;
    struct handoff handoff;
    memset(&handoff, 0x5a, sizeof(handoff));
    handoff.checksum = 0;
    uint32_t expected = crc32_update(0, &handoff, sizeof(handoff));
    assert_int_equal(handoff_checksum(&handoff, sizeof(handoff)), expected);
    handoff.checksum = 0xdeadbeef;
    assert_int_equal(handoff_checksum(&handoff, sizeof(handoff)), expected);
}

static void test_H13_handoff_checksum_sees_every_bit(void **state)
{
    (void)state;
    struct handoff handoff;
    memset(&handoff, 0, sizeof(handoff));
    uint8_t *bytes = (uint8_t *)&handoff;
    uint32_t expected = handoff_checksum(&handoff, sizeof(handoff));
    for (size_t bit = 0; bit < sizeof(handoff) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        int in_field = bit / 8 >= offsetof(struct handoff, checksum) &&
                       bit / 8 < offsetof(struct handoff, checksum) + 4;
        assert_int_equal(handoff_checksum(&handoff, sizeof(handoff)) == expected, in_field);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_value),
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_any_split_gives_the_same),
        cmocka_unit_test(test_handoff_checksum_ignores_its_own_field),
        cmocka_unit_test(test_H13_handoff_checksum_sees_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
