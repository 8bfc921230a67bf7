/* The keys and hashes of seals: whoever reads some of them cannot forge another one. */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/mm/heap/layers/heap_debug_record.h"
#include "kernel/mm/heap/policies/sealed_block.h"
#include "tests/unit/support/random.h"

/* --- Keys ------------------------------------------------------------------------------------- */

/* SipHash-2-4 of the two words, with the key 0x0123456789abcdef, 0: by a program in Python that
 * also computes the test vector of the paper. */
static void test_key_words_are_siphash(void **state)
{
    (void)state;
    assert_true(heap_key_word(0x0123456789abcdef, 5, 0xfeedface) == 0x0f5ea9799cb1ec87);
}

/* A change of any bit, or of the purpose, changes about half of the bits of each word. */
static void assert_unlike(struct heap_key a, struct heap_key b)
{
    assert_in_range(__builtin_popcountll(a.first ^ b.first), 12, 52);
    assert_in_range(__builtin_popcountll(a.second ^ b.second), 12, 52);
    assert_in_range(__builtin_popcountll(a.odd ^ b.odd), 12, 52);
}

static void test_keys_have_nothing_in_common(void **state)
{
    (void)state;
    const struct heap_key key = heap_key_derive(1, HEAP_KEY_HEADERS, 2);
    assert_unlike(key, heap_key_derive(1, HEAP_KEY_CANARIES, 2));
    assert_unlike(key, heap_key_derive(1, HEAP_KEY_RECORDS, 2));
    for (unsigned bit = 0; bit < 64; bit++) {
        const struct heap_key other_secret =
            heap_key_derive(1 ^ UINT64_C(1) << bit, HEAP_KEY_HEADERS, 2);
        assert_unlike(key, other_secret);
        assert_unlike(key, heap_key_derive(1, HEAP_KEY_HEADERS, 2 ^ UINT64_C(1) << bit));
        assert_true((other_secret.odd & 1) != 0);
    }
    assert_in_range(__builtin_popcountll(key.first ^ key.second), 12, 52);
    assert_in_range(__builtin_popcountll(key.first ^ key.odd), 12, 52);
}

/* A second heap in the same memory has other keys, and each heap has two. */
static void test_each_life_has_its_own_keys(void **state)
{
    (void)state;
    uint64_t memory = 0;
    const struct sealed_secret first = sealed_begin_life(&memory, 7);
    const struct sealed_secret second = sealed_begin_life(&memory, 7);
    assert_unlike(first.headers, second.headers);
    assert_unlike(first.canaries, second.canaries);
    assert_unlike(first.headers, first.canaries);
}

/* --- Forging ---------------------------------------------------------------------------------- */

#define TRIAL_COUNT 100000
#define GUESS_BITS  16
#define GUESSES     (1u << GUESS_BITS)
#define ORDER_MAX   3

/* What the attacker changes of a known word, for the one that he forges. */
struct difference {
    uint64_t place;
    uint64_t content;
    bool is_step; /* the forged block begins later and is shorter; false: exclusive or */
};

typedef uint64_t hash_under_attack(struct sealed_secret secret, uint64_t place, uint64_t content);

static uint64_t hash_of_header(struct sealed_secret secret, uint64_t place, uint64_t content)
{
    return sealed_hash(secret, (const void *)(uintptr_t)place, content & ~SEALED_HASH_MASK);
}

/* Some bits of the seal of a record whose first and last words are known. */
static uint64_t seal_of_record(struct sealed_secret secret, uint64_t place, uint64_t content)
{
    struct heap_key key = secret.headers;
    return heap_hash_end(key, heap_hash_add(key, heap_hash_add(key, 0, place, 40), content, 4));
}

static uint64_t low_bits_of_record(struct sealed_secret secret, uint64_t place, uint64_t content)
{
    return seal_of_record(secret, place, content) % GUESSES;
}

static uint64_t high_bits_of_record(struct sealed_secret secret, uint64_t place, uint64_t content)
{
    return seal_of_record(secret, place, content) >> (64 - GUESS_BITS);
}

/* The attacker reads the hashes of all words that differ from one word by some of `order`
 * differences, and guesses that of the word that differs by all of them. A linear hash would make
 * it their sum with alternating signs, or their exclusive or. The errors are how far these two are
 * from the true hash. */
static void miss(hash_under_attack *hash, const struct difference *differences, unsigned order,
                 struct random *random, uint32_t errors[2])
{
    const struct sealed_secret secret = {
        .headers = {random_next(random), random_next(random), random_next(random) | 1}};
    uint64_t base = UINT64_C(0xffffc00000000000) + (random_next(random) >> 36) * 16 - 8;
    uint64_t start = random_below(random, 1024) << SEALED_UNITS_SHIFT | SEALED_LIVE;
    uint64_t sum = 0, parity = 0;
    for (unsigned subset = 0; subset < 1u << order; subset++) {
        uint64_t place = base, content = start;
        for (unsigned d = 0; d < order; d++) {
            const struct difference *difference = &differences[d];
            if ((subset >> d & 1) == 0)
                continue;
            place = difference->is_step ? place + difference->place : place ^ difference->place;
            content =
                difference->is_step ? content - difference->content : content ^ difference->content;
        }
        uint64_t known = hash(secret, place, content);
        parity ^= known;
        sum += __builtin_popcount(subset) % 2 == (int)order % 2 ? known : -known;
    }
    errors[0] = (uint32_t)(parity % GUESSES);
    errors[1] = (uint32_t)(sum % GUESSES);
}

/* Write in how many trials the attacker's one guess is right, by exclusive or and by sum. First he
 * learns the most frequent error of each, with other keys. */
static void forge(hash_under_attack *hash, const struct difference *differences, unsigned order,
                  struct random *random, unsigned right_counts[2])
{
    static uint32_t counts[2][GUESSES];
    uint32_t errors[2], usual[2] = {0, 0};
    memset(counts, 0, sizeof counts);
    for (unsigned i = 0; i < 2 * TRIAL_COUNT; i++) {
        miss(hash, differences, order, random, errors);
        for (unsigned kind = 0; kind < 2; kind++) {
            if (i >= TRIAL_COUNT)
                right_counts[kind] += errors[kind] == usual[kind];
            else if (++counts[kind][errors[kind]] > counts[kind][usual[kind]])
                usual[kind] = errors[kind];
        }
    }
}

#define PLACE_BITS       30u
#define CONTENT_BITS     (64u - SEALED_UNITS_SHIFT)
#define BIT_COUNT        (PLACE_BITS + CONTENT_BITS)
#define STEP_COUNT       12u
#define DIFFERENCE_COUNT (BIT_COUNT + STEP_COUNT)

/* Each bit of a place and a content, and later places in the same block. */
static struct difference difference_at(unsigned number)
{
    if (number < PLACE_BITS)
        return (struct difference){.place = UINT64_C(16) << number};
    if (number < BIT_COUNT)
        return (struct difference){.content = UINT64_C(1)
                                              << (SEALED_UNITS_SHIFT + number - PLACE_BITS)};
    return (struct difference){
        .place = UINT64_C(16) << (number - BIT_COUNT),
        .content = UINT64_C(1) << (SEALED_UNITS_SHIFT + number - BIT_COUNT),
        .is_step = true,
    };
}

/* Distinct bits, so that no set of them leads to a word that is known. */
static void choose(struct difference *differences, unsigned order, struct random *random)
{
    unsigned first = (unsigned)random_below(random, BIT_COUNT);
    for (unsigned d = 0; d < order; d++)
        differences[d] = difference_at((first + d * (1 + d) * 7) % BIT_COUNT);
}

/* About one guess in 2^16 is right, over all differences and for each one. */
static void assert_not_forged(hash_under_attack *hash, unsigned order, unsigned set_count)
{
    struct random random = {.state = order + 1};
    struct difference differences[ORDER_MAX];
    unsigned all_count = 0;
    for (unsigned set = 0; set < set_count; set++) {
        unsigned right_counts[2] = {0, 0};
        choose(differences, order, &random);
        if (order == 1)
            differences[0] = difference_at(set);
        forge(hash, differences, order, &random, right_counts);
        for (unsigned kind = 0; kind < 2; kind++) {
            assert_in_range(right_counts[kind], 0, 12);
            all_count += right_counts[kind];
        }
    }
    double expected = 2.0 * set_count * TRIAL_COUNT / GUESSES;
    assert_true(all_count > expected / 2 && all_count < expected * 2);
}

static void test_a_header_is_not_forged_from_another(void **state)
{
    (void)state;
    assert_not_forged(hash_of_header, 1, DIFFERENCE_COUNT);
}

static void test_a_header_is_not_forged_from_three_or_seven(void **state)
{
    (void)state;
    assert_not_forged(hash_of_header, 2, 20);
    assert_not_forged(hash_of_header, 3, 10);
}

static void test_a_record_is_not_forged_from_others(void **state)
{
    (void)state;
    for (unsigned order = 1; order <= ORDER_MAX; order++) {
        assert_not_forged(low_bits_of_record, order, 8);
        assert_not_forged(high_bits_of_record, order, 8);
    }
}

/* --- Working back ----------------------------------------------------------------------------- */

/* The inverse of an odd number modulo 2^64, by Newton's method. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t result = odd;
    for (unsigned i = 0; i < 6; i++)
        result *= 2 - odd * result;
    return result;
}

/* If each step of a seal can be undone without the key, its last word can be replaced: undo the
 * step, exchange the word, do the step again. So it was with the multiplier of Knuth's hash. */
static void test_the_last_word_of_a_record_is_not_replaced(void **state)
{
    (void)state;
    const uint64_t multipliers[] = {UINT64_C(0x9e3779b97f4a7c15), 1, 3};
    struct random random = {.state = 1};
    for (unsigned i = 0; i < TRIAL_COUNT; i++) {
        struct heap_debug debug = {.key =
                                       heap_key_derive(random_next(&random), HEAP_KEY_RECORDS, i)};
        struct heap_debug_record record = {.size_bytes = 40, .alignment_shift = 4};
        uint64_t multiplier = multipliers[i % 3];
        uint64_t seal = heap_debug_seal_for(&debug, &record);
        uint64_t before = (seal ^ seal >> 32) * inverse(multiplier);
        before = (before ^ 4 ^ 12) * multiplier;
        record.alignment_shift = 12;
        record.seal = before ^ before >> 32;
        assert_false(heap_debug_record_is_sound(&debug, &record));
    }
}

/* No two words of a record can be changed together so that the seal stays. In a chain that adds one
 * word by an exclusive or, the same bits of the next word undo the change. */
static void test_no_two_changes_of_a_record_undo_each_other(void **state)
{
    (void)state;
    const struct heap_key key = heap_key_derive(5, HEAP_KEY_RECORDS, 1);
    const uint64_t words[4] = {1000, 40, 7, 4};
    uint64_t seal = heap_hash_end(
        key, heap_hash_add(key, heap_hash_add(key, 0, words[0], words[1]), words[2], words[3]));
    for (unsigned pair = 0; pair < 16; pair++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t changed[4];
            memcpy(changed, words, sizeof changed);
            changed[pair / 4] ^= UINT64_C(1) << bit;
            if (pair / 4 != pair % 4)
                changed[pair % 4] ^= UINT64_C(1) << bit;
            uint64_t middle = heap_hash_add(key, 0, changed[0], changed[1]);
            assert_true(heap_hash_end(key, heap_hash_add(key, middle, changed[2], changed[3])) !=
                        seal);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_words_are_siphash),
        cmocka_unit_test(test_keys_have_nothing_in_common),
        cmocka_unit_test(test_each_life_has_its_own_keys),
        cmocka_unit_test(test_a_header_is_not_forged_from_another),
        cmocka_unit_test(test_a_header_is_not_forged_from_three_or_seven),
        cmocka_unit_test(test_a_record_is_not_forged_from_others),
        cmocka_unit_test(test_the_last_word_of_a_record_is_not_replaced),
        cmocka_unit_test(test_no_two_changes_of_a_record_undo_each_other),
    };
    return cmocka_run_group_tests_name("heap hash", tests, NULL, NULL);
}
