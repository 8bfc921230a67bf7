/* Writes beyond blocks and to freed memory: catalogue K8 and K9, for each policy. */
#include "tests/unit/support/heap_policy_test.h"

static const uint8_t DIFFERENCES[] = {0x01, 0x80, 0xff, 0x41 ^ 0xbf};

/* Change `count` bytes at `offset` of a block between two others, then free it. */
static void assert_overrun_is_found(struct fixture *fixture, size_t size_bytes, unsigned population,
                                    ptrdiff_t offset, size_t count, uint8_t difference)
{
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    populate(heap, size_bytes, population);
    (void)allocate(heap, size_bytes);
    uint8_t *block = allocate(heap, size_bytes);
    memset(block, 0x41, size_bytes);
    if (!heap_frees_newest_only(heap))
        (void)allocate(heap, size_bytes);
    for (size_t i = 0; i < count; i++)
        block[offset + (ptrdiff_t)i] ^= difference;
    assert_non_null(heap_check(heap));
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_ptr_equal(fixture->arena.fault.pointer, block);
    assert_null(heap_allocate(heap, 16, CALLER));
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K8_overflow(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < 2; p++) {
            for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
                assert_overrun_is_found(*state, SIZES[s], POPULATIONS[p], (ptrdiff_t)SIZES[s], 1,
                                        DIFFERENCES[d]);
                assert_overrun_is_found(*state, SIZES[s], POPULATIONS[p], (ptrdiff_t)SIZES[s], 8,
                                        DIFFERENCES[d]);
            }
        }
    }
}

/* One byte behind a block, not the first one. Each byte up to the next header, or up to the end of
 * the slot, is a canary. The best-fit policy has its headers elsewhere, and its own tests. */
static void test_K8_a_write_that_skips_bytes(void **state)
{
    const struct fixture *fixture = *state;
    if (fixture->policy == &heap_policy_best_fit)
        return;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < 2; p++) {
            size_t units = (SIZES[s] + 8 + 15) / 16;
            size_t end = units * 16 - 8;
            if (POPULATIONS[p] != 0 && end > (SIZES[s] / 16 + 1) * 16)
                end = (SIZES[s] / 16 + 1) * 16;
            for (size_t offset = SIZES[s] + 1; offset < end; offset++)
                assert_overrun_is_found(*state, SIZES[s], POPULATIONS[p], (ptrdiff_t)offset, 1,
                                        DIFFERENCES[offset % sizeof DIFFERENCES]);
        }
    }
}

/* A dense slab has no canaries. The free looks at the first word of the next slot, if that is
 * free. */
static void test_K8_overflow_into_a_free_neighbour(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    for (size_t size_bytes = 16; size_bytes <= 256; size_bytes += 16) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        populate(heap, size_bytes, POPULATIONS[2]);
        uint8_t *block = allocate(heap, size_bytes);
        uint8_t *next = allocate(heap, size_bytes);
        assert_ptr_equal(next, block + size_bytes);
        heap_free(heap, next, OTHER_CALLER);
        assert_sound(heap);
        next[0] ^= 1;
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.pointer, block);
        fixture->arena.fault_count = 0;
    }
}

static void test_K8_underflow(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
            assert_overrun_is_found(*state, SIZES[s], 0, -1, 1, DIFFERENCES[d]);
            assert_overrun_is_found(*state, SIZES[s], 0, -8, 8, DIFFERENCES[d]);
        }
    }
}

/* In a slab the bytes before a block are the end of another block. So the report may name either
 * block. One of the two frees finds the overrun. */
static void test_K8_underflow_in_a_population(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
            for (size_t count = 1; count <= 8; count += 7) {
                struct heap *heap = start_fixed(fixture, ARENA_BYTES);
                populate(heap, SIZES[s], 150);
                uint8_t *before = allocate(heap, SIZES[s]);
                memset(before, 0x41, SIZES[s]);
                uint8_t *block = allocate(heap, SIZES[s]);
                for (size_t i = 1; i <= count; i++)
                    *(block - i) ^= DIFFERENCES[d];
                assert_non_null(heap_check(heap));
                heap_free(heap, block, OTHER_CALLER);
                if (fixture->arena.fault_count == 0)
                    heap_free(heap, before, OTHER_CALLER);
                /* The first slot of a slab has a guard before it, which only the check reads. */
                if (fixture->arena.fault_count == 0)
                    assert_non_null(heap_check(heap));
                else
                    assert_fault(fixture, HEAP_FAULT_OVERRUN);
            }
        }
    }
}

/* Write bytes before a block, and free it. The free finds them if they change anything. */
static void assert_free_finds_a_write_before(struct fixture *fixture, uint8_t *block, size_t count,
                                             uint8_t value)
{
    bool is_changed = false;
    for (size_t i = 1; i <= count; i++) {
        is_changed |= *(block - i) != value;
        *(block - i) = value;
    }
    heap_free(fixture->heap, block, OTHER_CALLER);
    if (is_changed)
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_int_equal(fixture->arena.fault_count, 0);
}

#define SLAB_BLOCK_COUNT 190

/* Return the block of this number. Behind the last one, return one that begins behind the guard of a
 * page, which is a slab's first one, or else any block. The heap's first block is no such block. */
static uint8_t *choose_block(uint8_t *const blocks[], unsigned which)
{
    if (which < SLAB_BLOCK_COUNT)
        return blocks[which];
    for (unsigned i = 1; i < SLAB_BLOCK_COUNT; i++) {
        if ((uintptr_t)blocks[i] % 8192 == 16)
            return blocks[i];
    }
    return blocks[SLAB_BLOCK_COUNT - 1];
}

/* Each block of a slab, the first one included: the free of the block itself finds a byte of text,
 * of zeros or of ones before it. */
static void test_K8_underflow_before_each_block_of_a_slab(void **state)
{
    static const uint8_t VALUES[] = {0x00, 0x01, 'A', 0xff};
    static const size_t COUNTS[] = {1, 2, 8};
    struct fixture *fixture = *state;
    for (size_t size_bytes = 8; size_bytes <= 1024; size_bytes += 8 + (size_bytes >= 256) * 96) {
        for (unsigned which = SLAB_BLOCK_COUNT - 20; which < SLAB_BLOCK_COUNT + 12; which++) {
            struct heap *heap = start_fixed(fixture, 4 * MIB);
            uint8_t *blocks[SLAB_BLOCK_COUNT];
            for (unsigned i = 0; i < SLAB_BLOCK_COUNT; i++)
                blocks[i] = allocate(heap, size_bytes);
            uint8_t *block = heap_frees_newest_only(heap) ? blocks[SLAB_BLOCK_COUNT - 1]
                                                          : choose_block(blocks, which);
            assert_free_finds_a_write_before(fixture, block, COUNTS[which % 3], VALUES[which % 4]);
        }
    }
}

/* A bit of the 16 bytes before the first block of a slab. If the block's own free does not read it,
 * the free that empties the slab does. */
static void test_K8_the_bytes_before_a_slab(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast || fixture->debug)
        return;
    for (unsigned bit = 0; bit < 16 * 8; bit++) {
        struct heap *heap = start_fixed(fixture, 4 * MIB);
        uint8_t *blocks[SLAB_BLOCK_COUNT];
        for (unsigned i = 0; i < SLAB_BLOCK_COUNT; i++)
            blocks[i] = allocate(heap, 72);
        uint8_t *first = choose_block(blocks, SLAB_BLOCK_COUNT);
        *(first - 1 - bit / 8) ^= (uint8_t)(1 << bit % 8);
        for (unsigned i = 0; i < SLAB_BLOCK_COUNT && fixture->arena.fault_count == 0; i++)
            heap_free(heap, blocks[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, first);
    }
}

/* A slab that has lost its last block is kept. The check finds a write to it. */
static void test_K9_a_write_to_a_kept_slab(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast || fixture->debug)
        return;
    struct heap *heap = start_fixed(fixture, 4 * MIB);
    uint8_t *blocks[SLAB_BLOCK_COUNT];
    for (unsigned i = 0; i < SLAB_BLOCK_COUNT; i++)
        blocks[i] = allocate(heap, 72);
    for (unsigned i = 0; i < SLAB_BLOCK_COUNT; i++)
        heap_free(heap, blocks[i], OTHER_CALLER);
    assert_sound(heap);
    *choose_block(blocks, SLAB_BLOCK_COUNT) ^= 1;
    assert_string_equal(heap_check(heap), "a free block was written to");
}

/* Change each bit of a header, and of the heap's data in a free block's payload. Then use the heap
 * until it reads the change. The heap must report it. */
static void use_everything(struct heap *heap, void **blocks, unsigned count)
{
    for (unsigned i = count; i > 0; i--)
        heap_free(heap, blocks[i - 1], OTHER_CALLER);
    heap_trim(heap);
    while (heap_allocate(heap, 24, OTHER_CALLER) != NULL)
        continue;
}

static void test_K9_smashed_headers_and_links_are_found(void **state)
{
    struct fixture *fixture = *state;
    const unsigned count = 16;
    /* So that no block has room between its end and the next header. */
    const size_t least_bytes = fixture->debug ? 33 : 24;
    for (size_t word = 0; word < 2048 / 8; word++) {
        for (unsigned bit = 0; bit < 64; bit += 3) {
            struct heap *heap = start_fixed(fixture, 4096);
            void *blocks[16];
            for (unsigned i = 0; i < count; i++)
                blocks[i] = allocate(heap, least_bytes + 16 * (i % 4));
            if (!heap_frees_newest_only(heap)) {
                for (unsigned i = 1; i < count; i += 3) {
                    heap_free(heap, blocks[i], CALLER);
                    blocks[i] = NULL;
                }
                heap_trim(heap);
            }
            uint8_t *damaged = fixture->arena.base + 8 + word * 8 + bit / 8;
            *damaged ^= (uint8_t)(1 << bit % 8);
            bool is_found = heap_check(heap) != NULL;
            use_everything(heap, blocks, count);
            assert_int_equal(fixture->arena.fault_count, is_found);
        }
    }
}

/* The header of a free block between live ones is validated before its memory is allocated. */
static void test_K9_a_freed_block_is_checked_before_it_is_used_again(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            struct heap *heap = start_fixed(fixture, MIB);
            if (heap_frees_newest_only(heap))
                return;
            uint8_t *block = allocate(heap, SIZES[s]);
            (void)allocate(heap, 100);
            heap_free(heap, block, CALLER);
            block[-8 + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1 << bit % 8);
            assert_null(heap_allocate(heap, SIZES[s], OTHER_CALLER));
            assert_fault(fixture, HEAP_FAULT_CORRUPT);
        }
    }
}

/* Links that lead into a live block are validated before the heap writes through them. */
static void test_K9_forged_links_write_nothing(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = 100005; /* has a canary of its own: the next header is not it */
    for (unsigned which = 0; which < 2; which++) {
        struct heap *heap = start_fixed(fixture, MIB);
        if (heap_frees_newest_only(heap))
            return;
        uint8_t *victim = allocate(heap, size_bytes);
        memset(victim, 0x5a, size_bytes);
        uint8_t *before = allocate(heap, size_bytes);
        uint8_t *freed = allocate(heap, size_bytes);
        (void)allocate(heap, size_bytes);
        heap_free(heap, freed, CALLER);
        uint32_t links[2] = {0, 0};
        links[which] = (uint32_t)((victim - fixture->arena.base) / 16);
        memcpy(freed, links, sizeof links);
        heap_free(heap, before, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_CORRUPT);
        for (size_t i = 0; i < size_bytes; i++)
            assert_int_equal(victim[i], 0x5a);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K8_overflow),
    TEST(test_K8_a_write_that_skips_bytes),
    TEST_OF_POLICY(test_K8_overflow_into_a_free_neighbour),
    TEST(test_K8_underflow),
    TEST(test_K8_underflow_in_a_population),
    TEST(test_K8_underflow_before_each_block_of_a_slab),
    TEST(test_K8_the_bytes_before_a_slab),
    TEST(test_K9_a_write_to_a_kept_slab),
    TEST(test_K9_smashed_headers_and_links_are_found),
    TEST_OF_POLICY(test_K9_a_freed_block_is_checked_before_it_is_used_again),
    TEST_OF_POLICY(test_K9_forged_links_write_nothing),
};

int main(void)
{
    return heap_policy_test_run("heap writes", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
