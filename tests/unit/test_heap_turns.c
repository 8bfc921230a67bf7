/* Which free slot a class of the fast policy takes next. */
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_dissolve.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "tests/unit/support/heap_policy_test.h"

#define SMALL_BYTES  ((size_t)40)
#define MEDIUM_BYTES ((size_t)1100)

/* A medium slab then has more than one word of slots. */
#define REGION_BYTES (16 * MIB)

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

static struct fast_slab *slab_of(const struct heap *heap, const void *block)
{
    return fast_piece_owner(fast_map_find(fast_of(heap), block), block);
}

/* Allocate blocks until a slab of more than this many slots was opened for one of them. */
static struct fast_slab *open_slab(struct heap *heap, size_t size_bytes, unsigned slot_count)
{
    struct fast_slab *slab = &fast_no_slab;
    for (unsigned i = 0; slab->slot_count <= slot_count || slab->used_count != 1; i++) {
        assert_true(i < 4000);
        slab = slab_of(heap, allocate(heap, size_bytes));
    }
    return slab;
}

static void use_up(struct heap *heap, const struct fast_slab *slab, size_t size_bytes)
{
    while (slab->used_count != slab->slot_count)
        assert_ptr_equal(slab_of(heap, allocate(heap, size_bytes)), slab);
}

static void free_slot(struct heap *heap, const struct fast_slab *slab, unsigned index)
{
    heap_free(heap, fast_slot_at(slab, index), CALLER);
}

static void assert_next(struct heap *heap, const struct fast_slab *slab, unsigned index)
{
    assert_ptr_equal(allocate(heap, SMALL_BYTES), fast_slot_at(slab, index));
    assert_sound(heap);
}

/* From the current word up, then from the first word. A word keeps its turn while it has a slot. */
static void test_words_have_turns(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = open_slab(heap, SMALL_BYTES, 4 * 64);
    use_up(heap, slab, SMALL_BYTES);
    free_slot(heap, slab, 130);
    assert_next(heap, slab, 130);
    free_slot(heap, slab, 3);
    free_slot(heap, slab, 70);
    free_slot(heap, slab, 194);
    free_slot(heap, slab, 195);
    assert_next(heap, slab, 194);
    free_slot(heap, slab, 192);
    assert_next(heap, slab, 192);
    assert_next(heap, slab, 195);
    free_slot(heap, slab, slab->slot_count - 1u);
    assert_next(heap, slab, slab->slot_count - 1u);
    assert_next(heap, slab, 3);
    free_slot(heap, slab, 2);
    free_slot(heap, slab, 5);
    assert_next(heap, slab, 2);
    assert_next(heap, slab, 5);
    assert_next(heap, slab, 70);
    assert_int_equal(slab->used_count, slab->slot_count);
    assert_ptr_not_equal(slab_of(heap, allocate(heap, SMALL_BYTES)), slab);
}

/* Freed slots come first, also those of other words. */
static void test_new_slots_come_last(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = open_slab(heap, SMALL_BYTES, 4 * 64);
    while (slab->reached_count < 150 || slab->used_count != slab->reached_count)
        (void)allocate(heap, SMALL_BYTES);
    unsigned reached = slab->reached_count;
    for (unsigned index = 10; index < reached; index += 50)
        free_slot(heap, slab, index);
    for (unsigned index = 10; index < reached; index += 50)
        (void)allocate(heap, SMALL_BYTES);
    assert_int_equal(slab->reached_count, reached);
    assert_int_equal(slab->used_count, reached);
    assert_next(heap, slab, reached);
}

/* The memory of a medium slot may not be in use before its first block. */
static void test_a_medium_slot_is_not_written_before_its_turn(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static _Alignas(FAST_PAGE_BYTES) uint8_t region[REGION_BYTES];
    memset(region, 0x5a, sizeof region);
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, ARENA_BYTES);
    configuration.base = region;
    configuration.initial_bytes = configuration.limit_bytes = sizeof region;
    struct heap *heap = start(fixture, configuration);
    const struct fast_slab *slab = open_slab(heap, MEDIUM_BYTES, 64);
    for (unsigned index = 1; index < slab->slot_count; index++) {
        const uint8_t *slot = fast_slot_at(slab, index);
        for (size_t i = 0; i < slab->stride_bytes; i++)
            assert_int_equal(slot[i], 0x5a);
        assert_int_equal(slab->reached_count, index);
        assert_ptr_equal(allocate(heap, MEDIUM_BYTES), slot);
        assert_sound(heap);
        if (index % 7 != 0)
            continue;
        free_slot(heap, slab, index - 7);
        assert_sound(heap);
        assert_ptr_equal(allocate(heap, MEDIUM_BYTES), fast_slot_at(slab, index - 7));
    }
    assert_int_equal(slab->used_count, slab->slot_count);
    assert_ptr_not_equal(slab_of(heap, allocate(heap, MEDIUM_BYTES)), slab);
}

#define SLAB_COUNT 4

/* Open some slabs, one after the other, and use them up. The last one is current. */
static void fill_slabs(struct heap *heap, struct fast_slab *slabs[SLAB_COUNT])
{
    for (unsigned i = 0; i < SLAB_COUNT; i++) {
        slabs[i] = open_slab(heap, SMALL_BYTES, 64);
        use_up(heap, slabs[i], SMALL_BYTES);
    }
}

static void assert_slabs(struct heap *heap, struct fast_slab *slabs[SLAB_COUNT],
                         const unsigned *expected, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(slab_of(heap, allocate(heap, SMALL_BYTES)), slabs[expected[i]]);
        assert_sound(heap);
    }
}

/* The slab that was full most recently comes last, so that it gets more free slots. */
static void test_slabs_have_turns(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    static const unsigned EXPECTED[] = {1, 0, 0, 2};
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[1], 7);
    free_slot(heap, slabs[0], 7);
    free_slot(heap, slabs[2], 7);
    free_slot(heap, slabs[0], 8);
    assert_slabs(heap, slabs, EXPECTED, 4);
    free_slot(heap, slabs[3], 7);
    free_slot(heap, slabs[1], 7);
    assert_slabs(heap, slabs, (const unsigned[]){3, 1}, 2);
}

/* A slab that becomes sparse leaves its place on the list, and comes after the others. */
static void test_a_sparse_slab_comes_last(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    static const unsigned EXPECTED[] = {0, 2, 1};
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[0], 7);
    for (unsigned index = 0; !slabs[1]->is_sparse; index++)
        free_slot(heap, slabs[1], index);
    free_slot(heap, slabs[2], 7);
    assert_sound(heap);
    assert_slabs(heap, slabs, EXPECTED, 3);
}

/* A slab on the list of partial slabs counts only the blocks above a floor, and all of them when it
 * leaves the list. */
static void test_a_slab_that_leaves_its_list_counts_all_its_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[1], 7);
    free_slot(heap, slabs[1], 8);
    assert_true(slabs[1]->counts_above);
    assert_true(fast_class_remove(heap, slabs[1]));
    assert_false(slabs[1]->counts_above);
    assert_int_equal(slabs[1]->used_count, slabs[1]->slot_count - 2);
    fast_class_add(fast_of(heap), slabs[1], slabs[1]->used_count);
    assert_sound(heap);
}

/* --- Overwritten links ------------------------------------------------------------------------- */

/* A foreign object that leads back to a slab. Nobody may write to it. */
static _Alignas(16) struct fast_slab foreign;

enum { TO_FOREIGN, TO_NOTHING, TO_USED_SLAB, TO_ODD_ADDRESS, LINK_VALUES };

/* Overwrite a link of a slab. `used` is a slab that is on no list. */
static void damage(struct fast_slab *slab, struct fast_slab **link, struct fast_slab *used,
                   unsigned value)
{
    memset(&foreign, 0, sizeof foreign);
    foreign.next = foreign.previous = slab;
    struct fast_slab *const values[] = {
        [TO_FOREIGN] = &foreign,
        [TO_NOTHING] = NULL,
        [TO_USED_SLAB] = used,
        [TO_ODD_ADDRESS] = (void *)((uintptr_t)used + 1),
    };
    *link = values[value];
}

/* The heap has named the fault once, and written to no other record. */
static void assert_refused(struct fixture *fixture, const struct fast_slab *slab)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    assert_ptr_equal(fixture->arena.fault.pointer, slab);
    assert_ptr_equal(foreign.next, slab);
    assert_ptr_equal(foreign.previous, slab);
    assert_null(heap_allocate(fixture->heap, SMALL_BYTES, CALLER));
    fixture->arena.fault_count = 0;
}

/* Make a list of three partial slabs. The fourth slab is current, and full. */
static struct heap *make_list(struct fixture *fixture, struct fast_slab *slabs[SLAB_COUNT])
{
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    for (unsigned i = 0; i < 3; i++)
        free_slot(heap, slabs[i], 7);
    assert_ptr_equal(slabs[1]->next, slabs[2]);
    assert_ptr_equal(slabs[1]->previous, slabs[0]);
    return heap;
}

static void make_sparse(struct heap *heap, const struct fast_slab *slab)
{
    for (unsigned index = 0; index < slab->slot_count && !slab->is_sparse; index++) {
        if (!fast_slot_is_free(slab, index))
            free_slot(heap, slab, index);
    }
}

/* The slab leaves its list, since it has become sparse. */
static void test_a_wrong_link_is_found_when_a_slab_becomes_sparse(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    for (unsigned i = 0; i < 2 * LINK_VALUES; i++) {
        struct heap *heap = make_list(fixture, slabs);
        damage(slabs[1], i % 2 == 0 ? &slabs[1]->next : &slabs[1]->previous, slabs[3], i / 2);
        make_sparse(heap, slabs[1]);
        assert_refused(fixture, slabs[1]);
        assert_false(slabs[1]->is_sparse);
        assert_ptr_equal(slabs[0]->next, slabs[1]);
        assert_ptr_equal(slabs[2]->previous, slabs[1]);
    }
}

/* The class takes the first slab of its list. */
static void test_a_wrong_link_is_found_when_a_slab_becomes_current(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    for (unsigned i = 0; i < 2 * LINK_VALUES; i++) {
        struct heap *heap = make_list(fixture, slabs);
        if (i / 2 == TO_NOTHING && i % 2 == 1)
            continue; /* that is right */
        damage(slabs[0], i % 2 == 0 ? &slabs[0]->next : &slabs[0]->previous, slabs[3], i / 2);
        assert_null(heap_allocate(heap, SMALL_BYTES, CALLER));
        assert_refused(fixture, slabs[0]);
        assert_ptr_equal(slabs[1]->previous, slabs[0]);
    }
}

/* The first slab of a list has no previous one, not even one that leads back. */
static void test_a_slab_before_the_first_one_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    struct heap *heap = make_list(fixture, slabs);
    struct fast_slab *block = memset(allocate(heap, 5000), 0, 5000);
    damage(slabs[0], &slabs[0]->previous, block, TO_USED_SLAB);
    block->next = slabs[0];
    assert_null(heap_allocate(heap, SMALL_BYTES, CALLER));
    assert_refused(fixture, slabs[0]);
    assert_ptr_equal(block->next, slabs[0]);
}

static void test_a_wrong_link_of_a_medium_slab_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[2];
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        slabs[i] = open_slab(heap, MEDIUM_BYTES, 4);
        use_up(heap, slabs[i], MEDIUM_BYTES);
    }
    free_slot(heap, slabs[0], 1);
    damage(slabs[0], &slabs[0]->next, slabs[1], TO_FOREIGN);
    assert_null(heap_allocate(heap, MEDIUM_BYTES, CALLER));
    assert_refused(fixture, slabs[0]);
}

/* The same for a class whose slabs are sparse. */
static void test_a_wrong_link_of_a_sparse_slab_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    for (unsigned value = 0; value < LINK_VALUES; value++) {
        struct heap *heap = make_list(fixture, slabs);
        for (unsigned i = 0; i < 3; i++)
            make_sparse(heap, slabs[i]);
        assert_ptr_equal(slabs[2]->next, slabs[1]);
        if (value == TO_NOTHING)
            continue; /* the list becomes shorter */
        damage(slabs[2], &slabs[2]->next, slabs[3], value);
        assert_null(heap_allocate(heap, SMALL_BYTES, CALLER));
        assert_refused(fixture, slabs[2]);
    }
}

/* Empty slabs are closed. A wrong class would lead to the list of another class, or out of the heap's
 * state. */
static void test_a_slab_with_a_wrong_record_is_not_closed(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    for (unsigned i = 0; i < 2; i++) {
        struct heap *heap = make_list(fixture, slabs);
        for (unsigned index = 0; index < slabs[1]->slot_count; index++) {
            if (!fast_slot_is_free(slabs[1], index))
                free_slot(heap, slabs[1], index);
        }
        assert_int_equal(slabs[1]->used_count, 0);
        assert_sound(heap);
        damage(slabs[1], &slabs[1]->next, slabs[3], TO_FOREIGN);
        if (i == 1)
            slabs[1]->class_index = UINT8_MAX;
        while (heap_allocate(heap, 20000, CALLER) != NULL) /* until empty slabs are closed */
            continue;
        assert_refused(fixture, slabs[1]);
    }
}

/* A current slab with few blocks leaves its class, and a sparse slab is dissolved. A wrong class would
 * lead out of the heap's state. */
static void test_a_sparse_slab_with_a_wrong_class_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    slabs[0] = open_slab(heap, SMALL_BYTES, 64);
    fast_of(heap)->looked_at = slabs[0]->class_index;
    fast_of(heap)->refill_count += FAST_CLASS_COUNT;
    slabs[0]->class_index = UINT8_MAX;
    fast_dissolve_look(heap);
    assert_true(heap->is_corrupt);
    heap = make_list(fixture, slabs);
    make_sparse(heap, slabs[1]);
    slabs[1]->class_index = UINT8_MAX;
    fast_dissolve_all(heap);
    assert_true(heap->is_corrupt);
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_words_have_turns),
    TEST_OF_POLICY(test_new_slots_come_last),
    TEST_OF_POLICY(test_slabs_have_turns),
    TEST_OF_POLICY(test_a_sparse_slab_comes_last),
    TEST_OF_POLICY(test_a_slab_that_leaves_its_list_counts_all_its_blocks),
    TEST_OF_POLICY(test_a_medium_slot_is_not_written_before_its_turn),
    TEST_OF_POLICY(test_a_wrong_link_is_found_when_a_slab_becomes_sparse),
    TEST_OF_POLICY(test_a_wrong_link_is_found_when_a_slab_becomes_current),
    TEST_OF_POLICY(test_a_slab_before_the_first_one_is_found),
    TEST_OF_POLICY(test_a_wrong_link_of_a_medium_slab_is_found),
    TEST_OF_POLICY(test_a_wrong_link_of_a_sparse_slab_is_found),
    TEST_OF_POLICY(test_a_sparse_slab_with_a_wrong_class_is_found),
    TEST_OF_POLICY(test_a_slab_with_a_wrong_record_is_not_closed),
};

int main(void)
{
    return heap_policy_test_run("turns of slots", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
