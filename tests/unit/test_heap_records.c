/* heap_check() of the fast policy finds each write to the records that it keeps in the heap's
 * memory. */
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_record.h"
#include "kernel/mm/heap/policies/fast_slot.h"
#include "tests/unit/support/heap_policy_test.h"

#define HEAP_BYTES (2 * MIB)
/* A slab would have fewer than two such slots, and the block is short enough to be kept. */
#define KEPT_BYTES  ((size_t)HEAP_BYTES / FAST_SLABS_IN_A_HEAP * 3 / 4)
#define BLOCK_COUNT 900u
#define GUARD_WORDS (FAST_MAP_GUARD_BYTES / sizeof(uint64_t))
#define SEED_COUNT  6u

static uint8_t *blocks[BLOCK_COUNT];

static size_t random_size(struct random *random)
{
    static const size_t favourites[] = {32, 32, 40, 100, 300, 1500, 5000};
    if (random_below(random, 4) == 0)
        return 1 + random_below(random, 400);
    return favourites[random_below(random, sizeof favourites / sizeof favourites[0])];
}

/* Make slabs of all kinds, with different numbers of live blocks. */
static struct heap *start_mixed(struct fixture *fixture, unsigned seed)
{
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    struct random *random = &fixture->random;
    random->state = seed + 1;
    for (unsigned i = 0; i < BLOCK_COUNT; i++)
        blocks[i] = i < 300 ? allocate(heap, 32) : heap_allocate(heap, random_size(random), CALLER);
    size_t kept_in = 1 + random_below(random, 6);
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        if (i / 100 % 3 != 0 && random_below(random, kept_in) != 0)
            heap_free(heap, blocks[i], CALLER);
    }
    for (unsigned i = 0; i < 60; i++)
        (void)heap_allocate(heap, random_size(random), CALLER);
    assert_sound(heap);
    return heap;
}

/* Return the number of words of an own block that are records; 0 for the pages of a slab. */
static size_t word_count_of(const struct heap *heap, uint64_t header)
{
    if ((header & SEALED_OWN) == 0 || fast_own_kind(header) == FAST_OWN_PAGES)
        return 0;
    if (fast_own_kind(header) == FAST_OWN_MAP)
        return GUARD_WORDS + ((heap->limit_bytes / FAST_LEAF_BYTES + 2) | 1);
    if (fast_own_kind(header) == FAST_OWN_LEAF)
        return GUARD_WORDS + sizeof(struct fast_leaf) / sizeof(uint64_t);
    return sealed_capacity_bytes(sealed_units(header)) / sizeof(uint64_t);
}

static void ignore_piece(void *context, const struct heap_piece *piece)
{
    (void)context;
    (void)piece;
}

/* Write to the word, and expect that heap_check() finds it, and that no view follows it. */
static void assert_found(struct fixture *fixture, uint64_t *word, size_t index)
{
    struct heap_statistics statistics;
    uint64_t original = *word;
    *word ^= random_next(&fixture->random) | 1;
    if (heap_check(fixture->heap) == NULL)
        fail_msg("a write to word %zu at %p is not found", index, (void *)word);
    heap_walk(fixture->heap, ignore_piece, NULL);
    heap_statistics(fixture->heap, &statistics);
    *word = original;
}

static void test_each_write_to_a_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    unsigned dissolved_count = 0;
    for (unsigned seed = 0; seed < SEED_COUNT; seed++) {
        struct heap *heap = start_mixed(fixture, seed);
        dissolved_count += fast_of(heap)->dissolved != NULL;
        const struct fast_core *core = &fast_of(heap)->core;
        size_t word_count = 0;
        for (uint8_t *block = fast_first(core); block != core->end;) {
            uint64_t header = sealed_header_word(block) & ~SEALED_HASH_MASK;
            for (size_t i = 0; i < word_count_of(heap, header); i++, word_count++)
                assert_found(fixture, (uint64_t *)(void *)block + i, i);
            block = sealed_next(block, sealed_units(header));
        }
        assert_true(word_count > 200);
        assert_sound(heap);
    }
    assert_true(dissolved_count != 0);
}

/* --- Writes that go on from a block ----------------------------------------------------------- */

static bool is_map_or_leaf(uint64_t header)
{
    return (header & SEALED_OWN) != 0 &&
           (fast_own_kind(header & ~SEALED_HASH_MASK) == FAST_OWN_MAP ||
            fast_own_kind(header & ~SEALED_HASH_MASK) == FAST_OWN_LEAF);
}

/* Return the live block of the core before this number of maps and leaves, or NULL. */
static uint8_t *block_before_map(const struct heap *heap, unsigned number)
{
    uint8_t *previous = NULL;
    const struct fast_core *core = &fast_of(heap)->core;
    for (uint8_t *block = fast_first(core); block != core->end;) {
        uint64_t header = sealed_header_word(block);
        if (is_map_or_leaf(header) && previous != NULL && number-- == 0)
            return previous;
        previous = (header & SEALED_LIVE) != 0 ? block : NULL;
        block = sealed_next(block, sealed_units(header));
    }
    return NULL;
}

/* The free of the block reads the map before it looks at the block. */
static void test_an_overrun_into_the_map_is_found_by_the_free(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    unsigned number = 0;
    for (;; number++) {
        struct heap *heap = start_fixed(fixture, HEAP_BYTES);
        for (unsigned i = 0; i < 200; i++)
            (void)allocate(heap, 40 + i);
        uint8_t *block = block_before_map(heap, number);
        if (block == NULL)
            break;
        uint8_t *end = block + sealed_size(sealed_header_word(block));
        uint8_t *map = sealed_next(block, sealed_units(sealed_header_word(block)));
        memset(end, 'A', (size_t)(map - end) + FAST_MAP_GUARD_BYTES);
        heap_free(heap, block, CALLER);
        assert_int_equal(fixture->arena.fault_count, 1);
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, block);
    }
    assert_true(number != 0);
}

/* A slab's record was overwritten, so a free does not divide by its length, or follow its other
 * members. */
static void test_a_free_refuses_an_overwritten_record(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    uint8_t *block = NULL;
    for (unsigned i = 0; i < 100; i++)
        block = allocate(heap, 100);
    struct fast_slab *slab = fast_map_find(fast_of(heap), block);
    assert_ptr_not_equal(slab, &fast_no_slab);
    slab->slots += UINT32_MAX;
    slab->stride_bytes = 0;
    slab->reciprocal = 0;
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    assert_string_equal(fixture->arena.fault.detail, "a slab's record was overwritten");
}

/* A slab on a list has free slots, so only this member and its live blocks say which were in
 * use. */
static void test_a_wrong_number_of_used_slots_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    struct fast_slab *slab = &fast_no_slab;
    uint8_t *block = NULL;
    while (slab == &fast_no_slab || !slab->is_full) {
        block = allocate(heap, 100);
        if (slab == &fast_no_slab)
            slab = fast_map_find(fast_of(heap), block);
    }
    heap_free(heap, fast_slot_at(slab, 1), CALLER);
    assert_false(slab->is_full);
    slab->unready = 0; /* as if another word had been its last one */
    assert_sound(heap);
    const uint16_t wrong[] = {1, slab->slot_count / 2, slab->slot_count + 1};
    for (unsigned i = 0; i < 3; i++) {
        slab->reached_count = wrong[i];
        assert_string_equal(heap_check(heap), "a slab's record was overwritten");
        slab->reached_count = slab->slot_count;
        assert_sound(heap);
    }
}

static void test_a_write_to_a_kept_block_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    static const size_t size_bytes = KEPT_BYTES;
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    heap_free(heap, allocate(heap, size_bytes), CALLER);
    uint8_t *block = allocate(heap, size_bytes);
    (void)allocate(heap, 40);
    heap_free(heap, block, CALLER);
    assert_int_equal(fast_of(heap)->recent.block_count, 1);
    assert_sound(heap);
    block[size_bytes] ^= 1;
    assert_string_equal(heap_check(heap), "the bytes behind a freed block were overwritten");
    block[size_bytes] ^= 1;
    assert_sound(heap);
    for (size_t offset = 0; offset < 8; offset++) {
        block[offset] ^= 0xff;
        assert_string_equal(heap_check(heap), "a free block was written to");
        block[offset] ^= 0xff;
    }
    assert_sound(heap);
}

/* The flag `previous` of a kept block changes with the block before it. */
static void test_the_block_before_a_kept_one_is_freed(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    heap_free(heap, allocate(heap, KEPT_BYTES), CALLER);
    uint8_t *before = allocate(heap, 40000);
    uint8_t *block = allocate(heap, KEPT_BYTES);
    (void)allocate(heap, 40);
    heap_free(heap, block, CALLER);
    assert_int_equal(fast_of(heap)->recent.block_count, 1);
    heap_free(heap, before, CALLER);
    assert_int_equal(fast_of(heap)->recent.block_count, 1);
    assert_sound(heap);
    assert_ptr_equal(allocate(heap, KEPT_BYTES), block);
    assert_sound(heap);
}

/* Make two free blocks of one bin, the second one first in it. */
static uint8_t **make_free_pair(struct fixture *fixture)
{
    static uint8_t *row[5];
    struct heap *heap = start_fixed(fixture, HEAP_BYTES);
    for (unsigned i = 0; i < 5; i++)
        row[i] = allocate(heap, 20000);
    heap_free(heap, row[1], CALLER);
    heap_free(heap, row[3], CALLER);
    assert_int_equal(fast_links_of(row[1])->previous, fast_place_of(&fast_of(heap)->core, row[3]));
    return row;
}

static void assert_corrupt(const struct fixture *fixture)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
}

/* A free block without a previous one must be the first of its bin. */
static void test_a_zero_in_a_link_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    uint8_t **row = make_free_pair(fixture);
    fast_links_of(row[1])->previous = 0;
    heap_free(fixture->heap, row[0], CALLER); /* it merges with the next one */
    assert_corrupt(fixture);
}

/* The first block of a bin has no previous one. The next free block of this bin looks at it. */
static void test_a_link_of_the_first_block_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    uint8_t **row = make_free_pair(fixture);
    uint8_t *block = allocate(fixture->heap, 20000);
    assert_ptr_equal(block, row[3]);
    fast_links_of(row[1])->previous = 1;
    heap_free(fixture->heap, block, CALLER);
    assert_corrupt(fixture);
}

/* Overwrite the links of a free block, and allocate until a request meets them. It reports this
 * itself, since the later ones are refused. */
static void test_overwritten_links_are_reported_once(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    unsigned found_count = 0;
    for (unsigned seed = 0; seed < 400; seed++) {
        struct heap *heap = start_fixed(fixture, HEAP_BYTES);
        struct random *random = &fixture->random;
        random->state = seed + 1;
        for (unsigned i = 0; i < 40; i++)
            (void)allocate(heap, random_size(random));
        uint8_t *block = allocate(heap, 17000 + random_below(random, 20000));
        (void)allocate(heap, 17000);
        heap_free(heap, block, CALLER);
        *(uint32_t *)(void *)block = (uint32_t)random_next(random);
        for (unsigned i = 0; i < 60 && !heap->is_corrupt; i++)
            (void)heap_allocate(heap, 1 + random_below(random, 4000), CALLER);
        assert_int_equal(fixture->arena.fault_count, heap->is_corrupt);
        found_count += heap->is_corrupt;
    }
    assert_true(found_count > 200);
}

int main(void)
{
    static const struct heap_policy_test tests[] = {
        TEST_OF_POLICY(test_each_write_to_a_record_is_found),
        TEST_OF_POLICY(test_an_overrun_into_the_map_is_found_by_the_free),
        TEST_OF_POLICY(test_a_free_refuses_an_overwritten_record),
        TEST_OF_POLICY(test_a_wrong_number_of_used_slots_is_found),
        TEST_OF_POLICY(test_a_write_to_a_kept_block_is_found),
        TEST_OF_POLICY(test_the_block_before_a_kept_one_is_freed),
        TEST_OF_POLICY(test_a_zero_in_a_link_is_found),
        TEST_OF_POLICY(test_a_link_of_the_first_block_is_found),
        TEST_OF_POLICY(test_overwritten_links_are_reported_once),
    };
    return heap_policy_test_run("heap records", tests, sizeof tests / sizeof tests[0]);
}
