/*
 * Unpacking. zlib packs every input.
 */
#include "tests/unit/support/cmocka.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bootloader/pure/inflate.h"
#include "tests/unit/support/random.h"

#define INPUT_LIMIT_BYTES 60000
#define DYNAMIC_BLOCK     5 /* the lowest three bits: the last block, with codes of its own */

static uint8_t input[INPUT_LIMIT_BYTES];
static uint8_t packed[2 * INPUT_LIMIT_BYTES];

/* As scripts/pack-loader.py does it. */
static size_t pack(size_t size_bytes)
{
    z_stream stream = {.next_in = input,
                       .avail_in = (uInt)size_bytes,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    assert_int_equal(packed[0] & 7, DYNAMIC_BLOCK);
    return stream.total_out;
}

/* Unpack from and into memory of exactly the right sizes, so that ASan finds a byte outside. */
static void round_trip(size_t size_bytes)
{
    size_t packed_size_bytes = pack(size_bytes);
    uint8_t *exact = malloc(packed_size_bytes);
    uint8_t *output = malloc(size_bytes);
    assert_non_null(exact);
    assert_non_null(output);
    memcpy(exact, packed, packed_size_bytes);
    inflate_block(exact, output);
    assert_memory_equal(output, input, size_bytes);
    free(output);
    free(exact);
}

/* Words of the letters a to p, in groups of equal zeros: like the loader's table of errors. */
static void fill(struct random *random, size_t size_bytes, unsigned letters)
{
    size_t place = 0;
    while (place < size_bytes) {
        size_t length = 1 + random_below(random, 12);
        size_t from = random_below(random, place + 1);
        bool is_copy = place > 100 && random_below(random, 3) == 0;
        for (size_t i = 0; i < length && place < size_bytes; i++, place++)
            input[place] =
                is_copy ? input[from + i] : (uint8_t)('a' + random_below(random, letters));
        for (size_t i = random_below(random, 40); i < 20 && place < size_bytes; i++)
            input[place++] = 0;
    }
}

static void test_texts_come_back(void **state)
{
    (void)state;
    struct random random = {7};
    for (unsigned round = 0; round < 60; round++) {
        size_t size_bytes = 400 + random_below(&random, 2000);
        fill(&random, size_bytes, 3 + round % 23);
        round_trip(size_bytes);
    }
}

/* Each distance up to the format's limit of 32 KiB, and the longest length. */
static void test_far_and_long_copies_come_back(void **state)
{
    (void)state;
    struct random random = {8};
    fill(&random, 24000, 26);
    memset(input + 24000, 0, 1200);
    memcpy(input + 25200, input, 24000);
    memcpy(input + 49200, input + 300, 700);
    round_trip(49900);
}

static void test_few_symbols_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3000; i++)
        input[i] = (uint8_t) "HL-01: The boot volume cannot be opened."[i * i % 41];
    round_trip(3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_come_back),
        cmocka_unit_test(test_far_and_long_copies_come_back),
        cmocka_unit_test(test_few_symbols_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
