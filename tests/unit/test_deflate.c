/*
 * Compression. zlib reads every output back.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "kernel/screen/deflate.h"
#include "tests/unit/support/random.h"

#define OUTPUT_CAPACITY_BYTES (2 * DEFLATE_INPUT_LIMIT_BYTES)

static struct deflate deflate_state;
static uint8_t input[DEFLATE_INPUT_LIMIT_BYTES + 1];
static uint8_t output[OUTPUT_CAPACITY_BYTES];

/* Expect that zlib finds one whole stream, without a byte behind it. */
static void expect_inflated(const uint8_t *bytes, size_t size_bytes, size_t original_size_bytes)
{
    static uint8_t inflated[DEFLATE_INPUT_LIMIT_BYTES + 1];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes,
                       .avail_in = (uInt)size_bytes,
                       .next_out = inflated,
                       .avail_out = sizeof inflated};
    assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, original_size_bytes);
    assert_memory_equal(inflated, input, original_size_bytes);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

/* Compress from and into memory of exactly the right sizes, so that ASan finds a byte outside. */
static size_t round_trip(size_t size_bytes)
{
    size_t count =
        deflate_compress(&deflate_state, input, size_bytes, output, OUTPUT_CAPACITY_BYTES);
    assert_int_not_equal(count, 0);
    expect_inflated(output, count, size_bytes);
    uint8_t *exact = malloc(count);
    uint8_t *copy = malloc(size_bytes + (size_bytes == 0));
    assert_non_null(exact);
    assert_non_null(copy);
    memcpy(copy, input, size_bytes);
    memset(&deflate_state, 0xa5, sizeof deflate_state); /* its content does not matter */
    assert_int_equal(deflate_compress(&deflate_state, copy, size_bytes, exact, count), count);
    assert_memory_equal(exact, output, count);
    assert_int_equal(deflate_compress(&deflate_state, copy, size_bytes, exact, count - 1), 0);
    free(copy);
    free(exact);
    return count;
}

static void test_no_input(void **state)
{
    (void)state;
    static const uint8_t empty_block[] = {0x03, 0x00};
    assert_int_equal(round_trip(0), sizeof empty_block);
    assert_memory_equal(output, empty_block, sizeof empty_block);
    assert_int_equal(deflate_compress(&deflate_state, input, 0, output, 0), 0);
}

/* Each byte is a literal of 8 or 9 bits: the codes of all 256. */
static void test_every_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        input[i] = (uint8_t)i;
    assert_int_equal(round_trip(256), (3 + 144 * 8 + 112 * 9 + 7 + 7) / 8);
}

/* Every length of a match, and every class of distances. */
static void test_every_length_and_distance(void **state)
{
    (void)state;
    for (size_t length = 3; length <= 300; length++) {
        memset(input, 'x', length);
        input[0] = 'y';
        input[length] = 'z';
        round_trip(length + 1);
    }
    for (size_t distance = 1; distance < 4000; distance += 1 + distance / 16) {
        for (size_t i = 0; i < distance; i++)
            input[i] = (uint8_t)(i * i * 31 + i / 7);
        memcpy(input + distance, input, 90 < distance ? 90 : distance);
        round_trip(distance + (90 < distance ? 90 : distance));
    }
}

static void test_random_texts_of_every_length(void **state)
{
    (void)state;
    struct random random = {16};
    for (size_t size_bytes = 0; size_bytes <= DEFLATE_INPUT_LIMIT_BYTES;
         size_bytes += size_bytes < 300 ? 1 : 97) {
        unsigned kinds = 1 + (unsigned)random_below(&random, 255);
        for (size_t i = 0; i < size_bytes; i++)
            input[i] = (uint8_t)random_below(&random, kinds);
        round_trip(size_bytes);
    }
    round_trip(DEFLATE_INPUT_LIMIT_BYTES);
}

static void test_repeated_text_becomes_short(void **state)
{
    (void)state;
    memset(input, 'a', DEFLATE_INPUT_LIMIT_BYTES);
    assert_true(round_trip(DEFLATE_INPUT_LIMIT_BYTES) < 40);
    for (size_t i = 0; i < 2000; i++)
        input[i] =
            (uint8_t) "[panic] #0 0xffffffff80001234 function+0x10 kernel/main.c:1\n"[i % 60];
    assert_true(round_trip(2000) < 100);
}

/* "bcde" is worth more than "abc": the match begins one byte later. */
static void test_later_match_is_longer(void **state)
{
    (void)state;
    memcpy(input, "abc-bcdefgh-abcdefgh", 20);
    assert_int_equal(round_trip(20), (3 + 13 * 8 + 7 + 5 + 2 + 7 + 7) / 8);
}

static void test_too_long_an_input_is_refused(void **state)
{
    (void)state;
    assert_int_equal(deflate_compress(&deflate_state, input, DEFLATE_INPUT_LIMIT_BYTES + 1, output,
                                      OUTPUT_CAPACITY_BYTES),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_every_length_and_distance),
        cmocka_unit_test(test_random_texts_of_every_length),
        cmocka_unit_test(test_repeated_text_becomes_short),
        cmocka_unit_test(test_later_match_is_longer),
        cmocka_unit_test(test_too_long_an_input_is_refused),
    };
    return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
