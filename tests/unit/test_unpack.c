/*
 * Unpacking. The test has its own packer.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/unpack.h"
#include "tests/unit/support/random.h"

#define INPUT_LIMIT_BYTES 60000
#define CONTEXT_COUNT     5

static uint8_t input_memory[UNPACK_CONTEXT_BYTES + INPUT_LIMIT_BYTES]; /* it begins with zeros */
static uint8_t *const input = input_memory + UNPACK_CONTEXT_BYTES;
static uint8_t packed[2 * INPUT_LIMIT_BYTES];
static struct unpack_model model;

/* Return the counts behind the last `length` bytes before `next` and some bits of `next`. */
static uint8_t *counts_of(const uint8_t *next, unsigned length, uint32_t bits)
{
    uint32_t hash = bits * 0x9e3779b1u;
    for (unsigned i = 1; i <= length; i++)
        hash = (hash + next[-(int)i] + 1) * 0x9e3779b1u;
    struct unpack_slot *slot = &model.slots[hash >> 15];
    if (slot->tag != (hash & 0xffff))
        *slot = (struct unpack_slot){(uint16_t)hash, {0, 0}};
    return slot->counts;
}

/* The bytes of `packed` are one number: the begin of the range. */
struct packer {
    size_t size_bytes;
    uint64_t range;
};

static void add(const struct packer *packer, uint64_t number)
{
    for (size_t i = packer->size_bytes; number != 0; number >>= 8) {
        number += packed[--i];
        packed[i] = (uint8_t)number;
    }
}

static void pack_bit(struct packer *packer, const uint8_t *next, uint32_t bits, unsigned bit)
{
    uint64_t totals[2] = {2, 2};
    for (; packer->range < 1u << 24; packer->range <<= 8)
        packed[packer->size_bytes++] = 0;
    for (unsigned i = 0; i < CONTEXT_COUNT; i++) {
        totals[0] += counts_of(next, i, bits)[0] * (1u << 2 * i);
        totals[1] += counts_of(next, i, bits)[1] * (1u << 2 * i);
    }
    uint64_t zeros = packer->range * totals[0] / (totals[0] + totals[1]);
    add(packer, bit != 0 ? zeros : 0);
    packer->range = bit != 0 ? packer->range - zeros : zeros;
    for (unsigned i = 0; i < CONTEXT_COUNT; i++) {
        uint8_t *counts = counts_of(next, i, bits);
        counts[bit] = (uint8_t)(counts[bit] + (counts[bit] < 255));
        counts[bit == 0] = (uint8_t)(counts[bit == 0] - counts[bit == 0] / 4);
    }
}

static size_t pack(size_t size_bytes)
{
    struct packer packer = {.range = 1};
    memset(&model, 0, sizeof model);
    for (size_t i = 0; i < size_bytes; i++) {
        for (unsigned shift = 7; shift-- > 0;) {
            uint32_t bits = (128u | input[i]) >> (shift + 1);
            pack_bit(&packer, input + i, bits, input[i] >> shift & 1);
        }
    }
    return packer.size_bytes;
}

/* Unpack from and into memory of exactly the right sizes, so that ASan finds a byte outside. */
static void round_trip(size_t size_bytes, size_t limit_bytes)
{
    size_t packed_size_bytes = pack(size_bytes);
    assert_in_range(packed_size_bytes, 1, limit_bytes);
    uint8_t *exact = malloc(packed_size_bytes);
    uint8_t *output = calloc(UNPACK_CONTEXT_BYTES + size_bytes, 1);
    assert_non_null(exact);
    assert_non_null(output);
    memcpy(exact, packed, packed_size_bytes);
    memset(&model, 0, sizeof model);
    unpack(&model, exact, output + UNPACK_CONTEXT_BYTES, (uint32_t)size_bytes);
    assert_memory_equal(output, input_memory, UNPACK_CONTEXT_BYTES + size_bytes);
    free(output);
    free(exact);
}

/* Words of a few letters, in groups of equal zeros: like the loader's table of errors. */
static void fill(struct random *random, size_t size_bytes, unsigned letters)
{
    for (size_t place = 0; place < size_bytes;) {
        size_t word_end = place + 1 + random_below(random, 12);
        size_t end = word_end + random_below(random, 20);
        for (; place < end && place < size_bytes; place++)
            input[place] = (uint8_t)(place < word_end ? 'a' + random_below(random, letters) : 0);
    }
}

static void test_texts_come_back(void **state)
{
    (void)state;
    struct random random = {7};
    for (unsigned round = 0; round < 20; round++) {
        size_t size_bytes = 400 + random_below(&random, 2000);
        fill(&random, size_bytes, 3 + round % 23);
        round_trip(size_bytes, size_bytes);
    }
}

/* Random characters have no model. They use every context, and many contexts lose their slots. */
static void test_random_characters_come_back(void **state)
{
    (void)state;
    struct random random = {8};
    for (size_t i = 0; i < INPUT_LIMIT_BYTES; i++)
        input[i] = random_next(&random) & 127;
    round_trip(INPUT_LIMIT_BYTES, INPUT_LIMIT_BYTES + INPUT_LIMIT_BYTES / 8);
}

/* The counts reach their limit. */
static void test_equal_bytes_need_few(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 128; byte += 42) {
        memset(input, (int)byte, 10000);
        round_trip(10000, 60);
    }
}

static void test_repeated_sentences_need_few(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3000; i++)
        input[i] = (uint8_t) "HL-01: The boot volume cannot be opened."[i % 41];
    round_trip(3000, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_come_back),
        cmocka_unit_test(test_random_characters_come_back),
        cmocka_unit_test(test_equal_bytes_need_few),
        cmocka_unit_test(test_repeated_sentences_need_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
