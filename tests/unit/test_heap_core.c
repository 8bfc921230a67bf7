/* The core of the fast policy: its lists, and the way to a free block. */
#include "kernel/mm/heap/policies/fast_core.h"
#include "tests/unit/support/heap_policy_test.h"

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

/* --- Lists ------------------------------------------------------------------------------------ */

#define PLACES      64
#define LIST_LENGTH 3
#define BLOCK_UNITS ((size_t)4)

struct list {
    _Alignas(16) uint8_t memory[PLACES * SEALED_UNIT_BYTES];
    struct fast_core core;
    uint32_t places[LIST_LENGTH]; /* from the first block to the last */
};

/* Put three blocks into a bin. The content of the memory's first bytes must not matter. */
static void build(struct list *list, uint8_t filler)
{
    memset(list, 0, sizeof *list);
    memset(list->memory, filler, sizeof list->memory);
    list->core.base = list->memory;
    list->core.end_place = PLACES;
    for (uint32_t i = LIST_LENGTH; i-- > 0;) {
        list->places[i] = 4 + 8 * i;
        assert_null(fast_bin_put(&list->core, fast_bin_of(BLOCK_UNITS),
                                 fast_block_at(&list->core, list->places[i]), list->places[i]));
        memset(list->memory, filler, sizeof(struct fast_links));
    }
}

static bool drop(struct list *list, unsigned index)
{
    uint32_t place = list->places[index];
    return fast_bin_drop(&list->core, BLOCK_UNITS, fast_block_at(&list->core, place), place);
}

/* The list has these of its blocks, in this order, and a bit if there are any. */
static void assert_list(const struct list *list, unsigned blocks)
{
    unsigned bin = fast_bin_of(BLOCK_UNITS);
    uint32_t previous = 0, place = list->core.bins[bin];
    for (unsigned i = 0; i < LIST_LENGTH; i++) {
        if ((blocks >> i & 1) == 0)
            continue;
        assert_int_equal(place, list->places[i]);
        assert_int_equal(fast_links_at(&list->core, place)->previous, previous);
        previous = place;
        place = fast_links_at(&list->core, place)->next;
    }
    assert_int_equal(place, 0);
    assert_int_equal(list->core.bin_bits[bin / 64] >> bin % 64 & 1, blocks != 0);
}

static void test_blocks_leave_a_list_in_each_order(void **state)
{
    static struct list list;
    (void)state;
    for (unsigned order = 0; order < LIST_LENGTH * LIST_LENGTH * LIST_LENGTH; order++) {
        const unsigned turns[] = {order % 3, order / 3 % 3, order / 9};
        if (turns[0] == turns[1] || turns[1] == turns[2] || turns[0] == turns[2])
            continue;
        build(&list, (uint8_t)(order * 31));
        unsigned blocks = 7;
        for (unsigned i = 0; i < LIST_LENGTH; i++) {
            assert_list(&list, blocks);
            assert_true(drop(&list, turns[i]));
            blocks &= ~(1u << turns[i]);
            memset(list.memory, 0xff, sizeof(struct fast_links));
        }
        assert_list(&list, 0);
    }
}

static void test_first_blocks_leave_a_list(void **state)
{
    static struct list list;
    (void)state;
    build(&list, 0xff);
    for (unsigned i = 0; i < LIST_LENGTH; i++) {
        uint32_t place = list.places[i];
        assert_list(&list, 7u << i & 7);
        assert_true(fast_bin_drop_first(&list.core, fast_bin_of(BLOCK_UNITS),
                                        fast_block_at(&list.core, place), place));
    }
    assert_list(&list, 0);
}

/* Each link of the three blocks gets each wrong value. A function that follows it changes nothing
 * in the blocks. Only a last block's link to no block looks right. */
static void try_link(unsigned damaged, bool is_next, uint32_t value, unsigned dropped)
{
    static struct list list;
    static uint8_t before[sizeof list.memory];
    const size_t first_bytes = sizeof(struct fast_links);
    build(&list, 0);
    struct fast_links *links = fast_links_at(&list.core, list.places[damaged]);
    uint32_t *link = is_next ? &links->next : &links->previous;
    bool is_read = damaged == dropped || damaged == (is_next ? dropped - 1 : dropped + 1);
    if (*link == value || !is_read || (is_next && value == 0 && damaged == dropped))
        return;
    *link = value;
    memcpy(before, list.memory, sizeof before);
    assert_false(drop(&list, dropped));
    assert_memory_equal(&before[first_bytes], &list.memory[first_bytes],
                        sizeof before - first_bytes);
}

static void test_wrong_links_are_found(void **state)
{
    const uint32_t values[] = {0, 4, 12, 20, 28, PLACES - 1, PLACES, PLACES + 4, UINT32_MAX};
    (void)state;
    for (unsigned damaged = 0; damaged < LIST_LENGTH; damaged++) {
        for (unsigned dropped = 0; dropped < LIST_LENGTH; dropped++) {
            for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                try_link(damaged, true, values[i], dropped);
                try_link(damaged, false, values[i], dropped);
            }
        }
    }
}

/* The bin keeps its first block if that does not lead to a block which leads back. */
static void test_a_wrong_second_block_does_not_become_the_first(void **state)
{
    static struct list list, before;
    const uint32_t values[] = {4, 20, 28, PLACES - 1, PLACES, PLACES + 4, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        build(&list, 0);
        uint32_t place = list.places[0];
        fast_links_at(&list.core, place)->next = values[i];
        before = list;
        assert_false(fast_bin_drop_first(&list.core, fast_bin_of(BLOCK_UNITS),
                                         fast_block_at(&list.core, place), place));
        assert_memory_equal(&list, &before, sizeof list);
    }
}

/* A block that is in no list does not become the first one of another. */
static void test_a_block_without_neighbours_must_be_its_bins_first(void **state)
{
    static struct list list;
    (void)state;
    build(&list, 0);
    list.places[0] = 40;
    fast_links_at(&list.core, 40)->both = 0;
    assert_false(drop(&list, 0));
    list.places[0] = 4;
    assert_list(&list, 7);
}

static void test_a_wrong_first_block_is_found(void **state)
{
    static struct list list;
    (void)state;
    build(&list, 0);
    fast_links_at(&list.core, list.places[0])->previous = list.places[1];
    assert_ptr_equal(
        fast_bin_put(&list.core, fast_bin_of(BLOCK_UNITS), fast_block_at(&list.core, 40), 40),
        fast_block_at(&list.core, list.places[0]));
    assert_int_equal(fast_links_at(&list.core, list.places[0])->previous, list.places[1]);
}

/* --- Heaps ------------------------------------------------------------------------------------ */

/* Nobody reads the first 8 bytes of a heap before they are written. */
static void test_the_first_bytes_of_a_heap_do_not_matter(void **state)
{
    struct fixture *fixture = *state;
    void *blocks[200] = {NULL};
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, MIB);
    for (unsigned i = 0; i < 20000; i++) {
        void **block = &blocks[random_below(&fixture->random, 200)];
        memset(fixture->arena.base, (int)random_below(&fixture->random, 256), 8);
        if (*block == NULL) {
            *block = heap_allocate(heap, random_below(&fixture->random, 9000), CALLER);
        } else {
            heap_free(heap, *block, CALLER);
            *block = NULL;
        }
    }
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* Take a block of the core as an operation of the heap does. */
static uint8_t *take(struct heap *heap, size_t units, size_t alignment_bytes)
{
    uint64_t header;
    uint8_t *block = fast_core_take_aligned(heap, units, alignment_bytes, &header);
    if (block != NULL)
        sealed_write_header(fast_of(heap)->core.secret, block, header);
    return block;
}

static void release(struct heap *heap, uint8_t *block)
{
    uint64_t header;
    assert_true(sealed_read_header(fast_of(heap)->core.secret, block, &header));
    assert_true(fast_core_release(heap, block, header));
}

/* Make free blocks of these units, each between live ones. The last one is first in its bin. */
static void make_holes(struct heap *heap, uint8_t **holes, const size_t *units, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        holes[i] = take(heap, units[i], SEALED_UNIT_BYTES);
        assert_non_null(holes[i]);
        assert_non_null(take(heap, FAST_MINIMUM_UNITS, SEALED_UNIT_BYTES));
    }
    for (unsigned i = 0; i < count; i++)
        release(heap, holes[i]);
}

/* Let the top have no memory. */
static void use_up_top(struct heap *heap)
{
    assert_non_null(take(heap, fast_of(heap)->core.top_units, SEALED_UNIT_BYTES));
}

/* A request without another place looks at this many blocks of its own bin, and at no more. */
static void test_a_request_looks_at_the_first_blocks_of_its_bin(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned shorter = FAST_BIN_LAST_LOOKS - 2; shorter <= FAST_BIN_LAST_LOOKS; shorter++) {
        uint8_t *holes[FAST_BIN_LAST_LOOKS + 1];
        size_t units[FAST_BIN_LAST_LOOKS + 1] = {69};
        for (unsigned i = 1; i <= shorter; i++)
            units[i] = 64;
        struct heap *heap = start_fixed(fixture, MIB);
        make_holes(heap, holes, units, shorter + 1);
        use_up_top(heap);
        bool is_seen = shorter < FAST_BIN_LAST_LOOKS;
        assert_ptr_equal(take(heap, 68, SEALED_UNIT_BYTES), is_seen ? holes[0] : NULL);
        assert_null(fast_bin_check_all(&fast_of(heap)->core, shorter + !is_seen));
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* The request's own bin comes first, if its first block has room. Then comes the next larger
 * one. */
static void test_the_least_bin_comes_first(void **state)
{
    struct fixture *fixture = *state;
    const size_t units[] = {200, 100, 70, 65};
    uint8_t *holes[4];
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, MIB);
    make_holes(heap, holes, units, 4);
    assert_ptr_equal(take(heap, 66, SEALED_UNIT_BYTES), holes[1]);
    assert_ptr_equal(take(heap, 65, SEALED_UNIT_BYTES), holes[3]);
    assert_ptr_equal(take(heap, 65, SEALED_UNIT_BYTES), holes[2]);
    assert_ptr_equal(fast_core_take(heap, 120).block, holes[0]);
    struct fast_taken taken = fast_core_take(heap, 79);
    assert_ptr_equal(taken.block, sealed_next(holes[0], 120));
    assert_int_equal(taken.units, 80);
    assert_null(fast_bin_check_all(&fast_of(heap)->core, 2));
    /* A block of exactly these units is long enough, and the least rest is a block. */
    assert_ptr_equal(fast_core_take(heap, 34).block, sealed_next(holes[1], 66));
    taken = fast_core_take(heap, 3);
    assert_ptr_equal(taken.block, sealed_next(holes[2], 65));
    assert_int_equal(taken.units, 3);
    assert_null(fast_bin_check_all(&fast_of(heap)->core, 1));
}

/* The header says that a free block has no units, or that it ends behind the heap's end. */
static void test_impossible_lengths_are_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned which = 0; which < 6; which++) {
        const size_t units = 100;
        uint8_t *hole;
        struct heap *heap = start_fixed(fixture, MIB);
        const struct fast_core *core = &fast_of(heap)->core;
        make_holes(heap, &hole, &units, 1);
        size_t room = core->end_place - fast_place_of(core, hole);
        const size_t wrong[] = {0, room + 1, UINT32_MAX};
        *(uint64_t *)(void *)(hole - SEALED_HEADER_BYTES) =
            sealed_free_word(core->secret, hole, wrong[which % 3]);
        if (which < 3)
            assert_null(take(heap, units, SEALED_UNIT_BYTES));
        else
            assert_null(fast_core_take(heap, units).block);
        assert_true(heap->is_corrupt);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_blocks_leave_a_list_in_each_order),
    TEST_OF_POLICY(test_first_blocks_leave_a_list),
    TEST_OF_POLICY(test_wrong_links_are_found),
    TEST_OF_POLICY(test_a_block_without_neighbours_must_be_its_bins_first),
    TEST_OF_POLICY(test_a_wrong_first_block_is_found),
    TEST_OF_POLICY(test_a_wrong_second_block_does_not_become_the_first),
    TEST_OF_POLICY(test_the_first_bytes_of_a_heap_do_not_matter),
    TEST_OF_POLICY(test_a_request_looks_at_the_first_blocks_of_its_bin),
    TEST_OF_POLICY(test_the_least_bin_comes_first),
    TEST_OF_POLICY(test_impossible_lengths_are_found),
};

int main(void)
{
    return heap_policy_test_run("heap core", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
