/* The spare parts of the fast policy: records for the next slabs, and slabs without live blocks. */
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "kernel/mm/heap/policies/fast_recent.h"
#include "kernel/mm/heap/policies/fast_record.h"
#include "tests/unit/support/heap_policy_test.h"

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

/* Return the slab of the last of these blocks, of which there are enough for a slab. */
static struct fast_slab *open_slab(struct heap *heap, size_t size_bytes)
{
    struct fast_slab *slab = &fast_no_slab;
    for (unsigned i = 0; slab == &fast_no_slab; i++) {
        assert_true(i < 200);
        uint8_t *block = allocate(heap, size_bytes);
        slab = fast_piece_owner(fast_map_find(fast_of(heap), block), block);
    }
    return slab;
}

static void free_all_slots(struct heap *heap, const struct fast_slab *slab)
{
    for (unsigned i = 0; i < slab->slot_count; i++) {
        if (!fast_slot_is_free(slab, i))
            heap_free(heap, fast_slot_at(slab, i), CALLER);
    }
}

static bool is_kept(const struct heap *heap, const struct fast_slab *slab)
{
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++) {
        if (fast_of(heap)->empty[i] == slab)
            return true;
    }
    return false;
}

struct count {
    unsigned groups; /* blocks of the core that hold records */
    unsigned in_use; /* records of slabs */
};

/* heap_check() compares the records in use with the slabs. */
static struct count count_records(const struct heap *heap)
{
    const struct fast_core *core = &fast_of(heap)->core;
    struct count count = {0};
    assert_sound(heap);
    for (const uint8_t *block = fast_first(core); block != core->end;) {
        uint64_t header = sealed_header_word(block);
        if ((header & SEALED_OWN) != 0 &&
            fast_own_kind(header & ~SEALED_HASH_MASK) == FAST_OWN_RECORDS) {
            count.groups++;
            for (unsigned i = 0; i < FAST_RECORDS_IN_A_GROUP; i++)
                count.in_use += fast_record_in_use((const void *)block, i) != NULL;
        }
        block = sealed_next(block, sealed_units(header));
    }
    return count;
}

/* --- Records ---------------------------------------------------------------------------------- */

/* Open a slab, and empty and close it. No other slab is open. */
static struct fast_slab *close_slab(struct heap *heap, size_t size_bytes)
{
    struct fast_slab *slab = open_slab(heap, size_bytes);
    assert_int_equal(count_records(heap).in_use, 1);
    free_all_slots(heap, slab);
    assert_true(is_kept(heap, slab));
    assert_true(fast_slab_flush_one(heap));
    assert_false(is_kept(heap, slab));
    assert_int_equal(count_records(heap).in_use, 0);
    return slab;
}

static void test_a_closed_slab_leaves_its_record(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const void *record = close_slab(heap, 2048);
    unsigned group_count = count_records(heap).groups;
    assert_ptr_equal(open_slab(heap, 5000), record);
    assert_int_equal(count_records(heap).in_use, 1);
    assert_int_equal(count_records(heap).groups, group_count);
}

static const void *group_of(const struct fast_slab *slab)
{
    const uint8_t *record = (const uint8_t *)slab;
    return record - sealed_units(sealed_header_word(record)) * SEALED_UNIT_BYTES;
}

/* The record has a bit for each slot. A slab of many slots needs a longer one. */
static void test_a_record_that_is_too_short_is_not_used(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *shorter = close_slab(heap, 5000);
    const struct fast_slab *slab = open_slab(heap, 15);
    const uint8_t *group = group_of(slab);
    size_t words_bytes = 2 * sizeof slab->free[0] * fast_slab_word_count(slab->slot_count);
    const uint8_t *end = group + sealed_capacity_bytes(sealed_units(sealed_header_word(group)));
    assert_ptr_not_equal(group, group_of(shorter));
    for (unsigned i = 0; i < FAST_RECORDS_IN_A_GROUP; i++)
        assert_true(fast_record_in_use((const void *)group, i) == (i == 0 ? slab : NULL));
    size_t all_bytes = FAST_RECORDS_IN_A_GROUP * (sizeof *slab + words_bytes);
    assert_true((size_t)(end - (const uint8_t *)slab) >= all_bytes);
    assert_int_equal(count_records(heap).groups, 2);
}

/* Many slabs are closed. Then there is one group of each length, and at most one more. Each step
 * closes a slab or frees a group. */
static void test_few_records_are_spare(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static struct fast_slab *slabs[4 * FAST_RECORDS_IN_A_GROUP];
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    for (unsigned i = 0; i < 4 * FAST_RECORDS_IN_A_GROUP; i++)
        slabs[i] = open_slab(heap, 100 + 36 * i);
    assert_true(count_records(heap).groups > 3);
    for (unsigned i = 0; i < 4 * FAST_RECORDS_IN_A_GROUP; i++)
        free_all_slots(heap, slabs[i]);
    struct count count = count_records(heap);
    assert_int_equal(count.in_use, FAST_EMPTY_SLABS);
    for (bool is_done = false; !is_done;) {
        is_done = !fast_slab_flush_one(heap);
        struct count left = count_records(heap);
        assert_in_range(count.in_use - left.in_use + count.groups - left.groups, 0, 2);
        assert_in_range(count.groups - left.groups, 0, 1);
        assert_true(left.in_use != 0 || left.groups <= FAST_RECORD_LENGTHS + 1);
        count = left;
    }
    assert_int_equal(count.groups, 0);
}

/* A class that has slots prepares its next slab, with the first request of each word of slots. */
static void test_no_record_is_lost(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    static void *blocks[600];
    for (unsigned round = 0; round < 20; round++) {
        size_t size_bytes = 8 + random_below(&fixture->random, 5000);
        for (unsigned i = 0; i < 600; i++)
            blocks[i] = allocate(heap, size_bytes);
        (void)count_records(heap);
        for (unsigned i = 0; i < 600; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_true(count_records(heap).in_use <= FAST_EMPTY_SLABS);
        assert_true(count_records(heap).groups <= FAST_EMPTY_SLABS + FAST_RECORD_LENGTHS + 1);
    }
    fast_slab_flush(heap);
    assert_int_equal(count_records(heap).groups, 0);
}

/* A write before the record of a slab is found, at the latest when the slab is closed. */
static void test_a_write_before_a_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    struct fast_slab *slab = open_slab(heap, 5000);
    free_all_slots(heap, slab);
    assert_sound(heap);
    ((uint8_t *)slab)[-1] ^= 1;
    assert_string_equal(heap_check(heap), "the word before a record was overwritten");
    (void)fast_slab_flush_one(heap);
    assert_true(heap->is_corrupt);
}

/* The bits of a group say which records are in use. */
static void test_a_lost_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    struct fast_record_group *group = (void *)(uintptr_t)group_of(open_slab(heap, 5000));
    assert_ptr_equal(group_of(open_slab(heap, 2048)), group);
    assert_sound(heap);
    group->free_bits ^= 2;
    assert_string_equal(heap_check(heap), "a record without a slab was written to");
    group->free_bits ^= 2;
    assert_sound(heap);
    group->free_bits ^= 1u << group->made_count;
    assert_string_equal(heap_check(heap), "a group of records was overwritten");
    group->free_bits ^= 1u << group->made_count;
    fast_of(heap)->records.groups[group->length] = NULL;
    assert_string_equal(heap_check(heap), "a group of records is lost");
}

/* An overrun of the block before a group of records overwrites the group's links and its length. */
static void test_no_wrong_link_of_a_group_is_followed(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const uint64_t words[] = {8, 0x4141414141414141, UINT64_MAX};
    for (size_t i = 0; i < 3 * sizeof words / sizeof words[0]; i++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        struct fast_slab *slab = open_slab(heap, 5000);
        uint64_t *group = (void *)(uintptr_t)group_of(slab);
        free_all_slots(heap, slab);
        assert_sound(heap);
        group[i % 3] = words[i / 3];
        assert_non_null(heap_check(heap));
        (void)fast_slab_flush_one(heap);
        assert_true(heap->is_corrupt);
    }
}

/* Each of these words has a right seal. */
static void test_the_end_marker_is_no_block(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const uint64_t flags[] = {0, SEALED_LIVE, SEALED_FREE};
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_core *core = &fast_of(heap)->core;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        sealed_write_header(core->secret, core->end, sealed_header(0, flags[i]));
        assert_string_equal(heap_check(heap), "the end marker was overwritten");
    }
    sealed_write_header(core->secret, core->end, sealed_header(1, SEALED_OWN));
    assert_string_equal(heap_check(heap), "the end marker was overwritten");
    sealed_write_header(core->secret, core->end, sealed_header(0, SEALED_OWN));
    assert_sound(heap);
}

/* A place of the map that leads to no leaf. */
static void test_no_wrong_place_of_the_map_is_followed(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const uintptr_t words[] = {0, 0x4141414141414141, UINTPTR_MAX};
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = open_slab(heap, 5000);
    uintptr_t *place = fast_of(heap)->map;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uintptr_t old = *place;
        *place = words[i];
        assert_string_equal(heap_check(heap), "the map of the slabs was overwritten");
        *place = old;
        assert_sound(heap);
    }
    ((struct fast_slab *)(uintptr_t)slab)->reciprocal++;
    assert_string_equal(heap_check(heap), "a slab's record was overwritten");
}

/* Memory that is no record is not read. */
static void test_no_record_outside_of_the_heap_is_read(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_core *core = &fast_of(heap)->core;
    assert_false(fast_slab_is_sound(fast_of(heap), NULL));
    assert_false(fast_slab_is_sound(fast_of(heap), (void *)(UINTPTR_MAX - 15)));
    assert_false(fast_slab_is_sound(fast_of(heap), (const void *)core->end));
}

static void test_overwritten_reciprocal_of_the_usual_free_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const size_t sizes[] = {100, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        struct fast_slab *slab = open_slab(heap, sizes[i]);
        assert_sound(heap);
        slab->padded_reciprocal ^= 1;
        assert_string_equal(heap_check(heap), "a slab's record was overwritten");
    }
}

static void test_a_group_may_be_the_first_block(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fast_record_create(heap, 64, false);
    struct fast_slab *record = fast_record_take(heap, 64);
    assert_ptr_equal(group_of(record), fast_first(&fast_of(heap)->core));
    fast_record_release(heap, record);
    assert_false(heap->is_corrupt);
    assert_sound(heap);
    assert_int_equal(count_records(heap).groups, 1);
}

/* Return the length of the block that holds records for slabs of so many slots. */
static size_t units_for_records(struct fixture *fixture, unsigned slot_count)
{
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fast_record_create(heap, slot_count, false);
    const uint8_t *group = group_of(fast_record_take(heap, slot_count));
    return sealed_units(sealed_header_word(group));
}

/* A record has a bit for each slot, and one behind them. It has no more words than the next of
 * these numbers. */
static void test_a_record_has_few_unused_words(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const uint8_t WORD_COUNTS[] = {1, 2, 3, 4, 6, 8, 16, 32};
    unsigned least_count = 1;
    for (unsigned i = 0; i < sizeof WORD_COUNTS; i++) {
        size_t record_bytes =
            sizeof(struct fast_slab) + 2 * WORD_COUNTS[i] * sizeof(uint64_t) + SEALED_HEADER_BYTES;
        size_t units = fast_units_for(sizeof(struct fast_record_group) +
                                      FAST_RECORDS_IN_A_GROUP * record_bytes);
        unsigned end_count = 64 * WORD_COUNTS[i];
        assert_int_equal(units_for_records(fixture, least_count), units);
        assert_int_equal(units_for_records(fixture, end_count - 1), units);
        least_count = end_count;
    }
}

/* A longer record serves a slab if there is none of its length. */
static void test_a_longer_record_is_taken(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fast_record_create(heap, 2000, false);
    assert_false(fast_record_is_ready(fast_of(heap), 64));
    const struct fast_record_group *group = group_of(fast_record_take(heap, 64));
    assert_int_equal(group->length, FAST_RECORD_LENGTHS - 1);
    assert_null(fast_record_check_lists(fast_of(heap), 1));
}

static void test_records_need_memory(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill(heap);
    fast_record_create(heap, 2000, true);
    assert_false(fast_record_is_ready(fast_of(heap), 2000));
    assert_false(heap->is_corrupt);
    assert_sound(heap);
}

/* A group is kept while another one is before it in the list, and comes back when that one is
 * full. */
static void test_a_kept_group_comes_back(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fast_record_create(heap, 64, false);
    struct fast_slab *first = fast_record_take(heap, 64);
    for (unsigned i = 1; i < FAST_RECORDS_IN_A_GROUP; i++)
        assert_ptr_equal(group_of(fast_record_take(heap, 64)), group_of(first));
    fast_record_create(heap, 64, false);
    struct fast_slab *other = fast_record_take(heap, 64);
    fast_record_release(heap, first);
    assert_null(fast_record_check_lists(fast_of(heap), 2));
    fast_record_release(heap, other);
    assert_null(fast_record_check_lists(fast_of(heap), 2));
    assert_ptr_equal(fast_record_take(heap, 64), first);
    assert_ptr_equal(fast_record_take(heap, 64), other);
    assert_null(fast_record_check_lists(fast_of(heap), 1));
}

/* --- Overwritten groups ----------------------------------------------------------------------- */

/* Return the group of the heap's only slab in use. It is the only group. */
static struct fast_record_group *start_group(struct fixture *fixture, struct fast_slab **ret_slab)
{
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    *ret_slab = open_slab(heap, 5000);
    assert_int_equal(count_records(heap).groups, 1);
    return (void *)(uintptr_t)group_of(*ret_slab);
}

/* Expect this finding, and restore the group. */
static void assert_found(const struct heap *heap, struct fast_record_group *group,
                         struct fast_record_group changed, const char *problem)
{
    struct fast_record_group original = *group;
    *group = changed;
    assert_string_equal(heap_check(heap), problem);
    *group = original;
    assert_sound(heap);
}

static void test_an_overwritten_group_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab;
    struct fast_record_group *group = start_group(fixture, &slab);
    struct fast_record_group changed[4] = {*group, *group, *group, *group};
    changed[0].length = FAST_RECORD_LENGTHS;
    changed[1].length = FAST_RECORD_LENGTHS - 1; /* the block is too short for this length */
    changed[2].made_count = 0;
    changed[3].made_count = 32;
    changed[3].free_bits = FAST_RECORDS_ALL_FREE;
    for (unsigned i = 0; i < 4; i++)
        assert_found(fixture->heap, group, changed[i], "a group of records was overwritten");
}

/* The word has a valid hash, but is not the one of this record. */
static void test_a_wrong_word_before_a_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab;
    (void)start_group(fixture, &slab);
    uint64_t place = sealed_header_word((const uint8_t *)slab) & ~SEALED_HASH_MASK;
    sealed_write_header(fast_of(fixture->heap)->core.secret, (uint8_t *)slab,
                        place | (uint64_t)1 << SEALED_SLACK_SHIFT);
    assert_string_equal(heap_check(fixture->heap), "the word before a record was overwritten");
}

static void test_a_wrong_list_of_groups_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const char PROBLEM[] = "a list of groups of records is wrong";
    struct fast_slab *slab;
    struct fast_record_group *group = start_group(fixture, &slab);
    struct fast_records *records = &fast_of(fixture->heap)->records;
    struct fast_record_group changed = *group;
    changed.previous = group;
    assert_found(fixture->heap, group, changed, PROBLEM);
    changed = *group;
    changed.next = group;
    assert_found(fixture->heap, group, changed, PROBLEM);
    unsigned length = group->length;
    records->groups[length] = NULL;
    records->groups[length + 1] = group;
    assert_string_equal(heap_check(fixture->heap), PROBLEM);
    records->groups[length + 1] = NULL;
    records->groups[length] = group;
    assert_sound(fixture->heap);
    free_all_slots(fixture->heap, slab);
    assert_true(fast_slab_flush_one(fixture->heap));
    assert_ptr_equal(records->unused[length], group);
    records->unused[length] = NULL;
    records->groups[length] = group;
    assert_string_equal(heap_check(fixture->heap), PROBLEM);
}

/* A group whose records are all in use is on no list. It must not take the place of another one. */
static void test_a_full_group_on_the_list_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab;
    struct fast_record_group *group = start_group(fixture, &slab);
    struct fast_records *records = &fast_of(fixture->heap)->records;
    for (size_t size_bytes = 5600; records->groups[group->length] == group; size_bytes += 600)
        (void)open_slab(fixture->heap, size_bytes);
    assert_int_equal(group->free_bits, 0);
    const struct fast_slab *next = open_slab(fixture->heap, 2048);
    struct fast_record_group *listed = records->groups[group->length];
    assert_ptr_equal(group_of(next), listed);
    assert_sound(fixture->heap);
    group->next = NULL;
    group->previous = NULL;
    records->groups[group->length] = group;
    assert_string_equal(heap_check(fixture->heap), "a list of groups of records is wrong");
    records->groups[group->length] = listed;
    assert_sound(fixture->heap);
}

static void test_a_wrong_group_that_is_kept_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static const char PROBLEM[] = "a group of records that is kept has records in use";
    struct fast_slab *slab;
    struct fast_record_group *group = start_group(fixture, &slab);
    struct fast_records *records = &fast_of(fixture->heap)->records;
    unsigned length = group->length;
    records->groups[length] = NULL;
    struct fast_record_group **places[] = {&records->unused[length], &records->surplus};
    for (unsigned i = 0; i < 2; i++) {
        *places[i] = group;
        assert_string_equal(heap_check(fixture->heap), PROBLEM);
        *places[i] = NULL;
    }
    records->groups[length] = group;
    free_all_slots(fixture->heap, slab);
    assert_true(fast_slab_flush_one(fixture->heap));
    assert_ptr_equal(records->unused[length], group);
    assert_sound(fixture->heap);
    records->surplus = group; /* it has two places */
    assert_string_equal(heap_check(fixture->heap), PROBLEM);
    records->unused[length] = NULL;
    assert_sound(fixture->heap);
    records->surplus = NULL;
    records->unused[length + 1] = group;
    assert_string_equal(heap_check(fixture->heap), PROBLEM);
}

/* No record is taken from an overwritten group. */
static void test_an_overwritten_group_gives_no_record(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned i = 0; i < 3; i++) {
        struct fast_slab *slab;
        struct fast_record_group *group = start_group(fixture, &slab);
        if (i == 0)
            group->length++;
        else
            group->free_bits = i == 1 ? 0 : FAST_RECORDS_ALL_FREE + 1;
        struct fast_record_group original = *group;
        assert_null(fast_record_take(fixture->heap, slab->slot_count));
        assert_true(fixture->heap->is_corrupt);
        assert_memory_equal(group, &original, sizeof original);
    }
}

/* A group cannot begin before the heap. */
static void test_a_record_of_no_group_is_not_released(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab;
    (void)start_group(fixture, &slab);
    const struct fast_core *core = &fast_of(fixture->heap)->core;
    size_t units = fast_block_index(core, (const uint8_t *)slab) + 1;
    struct fast_record_group *before = (void *)((uint8_t *)slab - units * SEALED_UNIT_BYTES);
    struct fast_record_group original = *before;
    sealed_write_header(core->secret, (uint8_t *)slab, sealed_header(units, SEALED_OWN));
    fast_record_release(fixture->heap, slab);
    assert_true(fixture->heap->is_corrupt);
    assert_memory_equal(before, &original, sizeof original);
}

static void test_a_corrupt_heap_keeps_its_records(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab;
    const struct fast_record_group *group = start_group(fixture, &slab);
    struct fast_record_group original = *group;
    fixture->heap->is_corrupt = true;
    fast_record_release(fixture->heap, slab);
    assert_memory_equal(group, &original, sizeof original);
    fixture->heap->is_corrupt = false;
    assert_sound(fixture->heap);
    fast_record_release(fixture->heap, slab);
    assert_true(group->free_bits != original.free_bits);
}

/* Each call frees one group, and only one that has no record in use. */
static void test_unused_groups_are_released_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    (void)open_slab(heap, 3000);
    struct fast_slab *records[FAST_RECORDS_IN_A_GROUP + 1];
    for (unsigned i = 0; i <= FAST_RECORDS_IN_A_GROUP; i++) {
        if (!fast_record_is_ready(fast_of(heap), 64))
            fast_record_create(heap, 64, false);
        records[i] = fast_record_take(heap, 64);
    }
    for (unsigned i = 0; i <= FAST_RECORDS_IN_A_GROUP; i++)
        fast_record_release(heap, records[i]);
    assert_non_null(fast_of(heap)->records.surplus);
    fast_record_create(heap, 2000, false);
    fast_record_create(heap, 300, false);
    unsigned group_count = count_records(heap).groups;
    for (unsigned left = group_count - 1; left > 0; left--) {
        assert_true(fast_record_release_unused(heap));
        assert_int_equal(count_records(heap).groups, left);
    }
    assert_int_equal(group_count, 5);
    assert_false(fast_record_release_unused(heap));
    assert_int_equal(count_records(heap).groups, 1);
    assert_int_equal(count_records(heap).in_use, 1);
}

/* --- Slabs without live blocks ---------------------------------------------------------------- */

static uint8_t *pages_of(const struct fast_slab *slab)
{
    return slab->slots - FAST_GUARD_BYTES;
}

static uint8_t *behind(uint8_t *block)
{
    return sealed_next(block, sealed_units(sealed_header_word(block)));
}

/* Return the block of the core that ends where this one begins. */
static uint8_t *before(const struct heap *heap, const uint8_t *block)
{
    uint8_t *previous = fast_first(&fast_of(heap)->core);
    while (behind(previous) != block)
        previous = behind(previous);
    return previous;
}

/* Open a slab of 5000 bytes a slot in a heap that is full apart from it, and free all of its
 * blocks. */
static struct fast_slab *keep_slab(struct heap *heap)
{
    (void)open_slab(heap, 2048);
    struct fast_slab *slab = open_slab(heap, 5000);
    fill(heap);
    free_all_slots(heap, slab);
    assert_true(is_kept(heap, slab));
    return slab;
}

static bool has_room(struct heap *heap, size_t units)
{
    return fast_core_has_room(heap, sealed_capacity_bytes(units));
}

/* Find out for how many units the slab is closed. The core then has a block of exactly so many. */
static size_t close_for_most(struct heap *heap, const struct fast_slab *slab)
{
    size_t units = ARENA_BYTES / SEALED_UNIT_BYTES;
    for (; units > 1 && !fast_slab_flush_for(heap, units); units--) {
        assert_true(is_kept(heap, slab));
        assert_false(has_room(heap, units));
    }
    assert_false(is_kept(heap, slab));
    assert_true(has_room(heap, units));
    assert_false(has_room(heap, units + 1));
    assert_sound(heap);
    assert_false(fast_slab_flush_for(heap, 1)); /* no other slab is empty */
    return units;
}

/* The free memory on both sides counts. */
static void test_a_kept_slab_is_closed_if_it_has_the_memory(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned sides = 0; sides < 4; sides++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        const struct fast_slab *slab = keep_slab(heap);
        uint8_t *first = (sides & 1) == 0 ? pages_of(slab) : before(heap, pages_of(slab));
        uint8_t *end = behind(pages_of(slab));
        if ((sides & 1) != 0)
            heap_free(heap, first, CALLER);
        if ((sides & 2) != 0) {
            uint8_t *block = end;
            end = behind(block);
            heap_free(heap, block, CALLER);
        }
        fast_recent_flush(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(close_for_most(heap, slab), (size_t)(end - first) / SEALED_UNIT_BYTES);
    }
}

/* The slab is still on the list of kept ones, but has a block. */
static void test_a_slab_with_a_block_is_not_closed(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = keep_slab(heap);
    uint8_t *block = allocate(heap, 5000);
    assert_ptr_equal(fast_map_find(fast_of(heap), block), slab);
    assert_false(fast_slab_flush_for(heap, 1));
    assert_true(is_kept(heap, slab));
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_true(fast_slab_flush_for(heap, 1));
    assert_sound(heap);
}

/* Of two slabs with enough memory, the one that is kept longer is closed. If only the other one has
 * enough, it is closed. */
static void test_the_oldest_slab_with_enough_memory_is_closed(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned needs_newer = 0; needs_newer < 2; needs_newer++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        struct fast_slab *older = open_slab(heap, 2048);
        (void)allocate(heap, 20000);
        struct fast_slab *newer = open_slab(heap, 12000);
        (void)allocate(heap, 20000);
        free_all_slots(heap, older);
        free_all_slots(heap, newer);
        size_t older_units = fast_core_reach_units(&fast_of(heap)->core, pages_of(older));
        size_t newer_units = fast_core_reach_units(&fast_of(heap)->core, pages_of(newer));
        assert_true(older_units < newer_units);
        assert_false(fast_slab_flush_for(heap, newer_units + 1));
        assert_true(fast_slab_flush_for(heap, needs_newer ? newer_units : older_units));
        assert_int_equal(is_kept(heap, older), needs_newer);
        assert_int_equal(is_kept(heap, newer), !needs_newer);
        assert_sound(heap);
    }
}

/* Open FAST_EMPTY_SLABS slabs of different classes, and free all of their blocks. All are kept. */
static void keep_slabs(struct heap *heap, struct fast_slab *slabs[FAST_EMPTY_SLABS])
{
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++)
        slabs[i] = open_slab(heap, 200 + 64 * i);
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++)
        free_all_slots(heap, slabs[i]);
}

static unsigned count_kept(const struct heap *heap, struct fast_slab *slabs[FAST_EMPTY_SLABS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++)
        count += is_kept(heap, slabs[i]);
    return count;
}

/* If as many slabs are kept as may be, one that becomes empty takes the place of the oldest only if
 * its class allocates from it. */
static void test_an_empty_slab_that_is_not_current_keeps_no_place(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    struct fast_slab *slabs[FAST_EMPTY_SLABS];
    const struct fast_slab *other = open_slab(heap, 1000);
    const struct fast_slab *current = other;
    while (current == other || current == &fast_no_slab)
        current = fast_map_find(fast_of(heap), allocate(heap, 1000));
    const uint8_t *slots = other->slots;
    keep_slabs(heap, slabs);
    assert_int_equal(count_kept(heap, slabs), FAST_EMPTY_SLABS);
    free_all_slots(heap, other);
    assert_ptr_equal(fast_map_find(fast_of(heap), slots), &fast_no_slab);
    assert_int_equal(count_kept(heap, slabs), FAST_EMPTY_SLABS);
    assert_sound(heap);
    free_all_slots(heap, current);
    assert_true(is_kept(heap, current));
    assert_int_equal(count_kept(heap, slabs), FAST_EMPTY_SLABS - 1);
    assert_sound(heap);
}

/* With three eighths of the memory left, memory is short. */
static void test_one_empty_slab_is_kept_when_memory_is_short(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *older = open_slab(heap, 1000);
    const struct fast_slab *newer = open_slab(heap, 500);
    const uint8_t *slots = older->slots;
    (void)allocate(heap, ARENA_BYTES / 8 * 5);
    free_all_slots(heap, older);
    assert_true(is_kept(heap, older));
    free_all_slots(heap, newer);
    assert_true(is_kept(heap, newer));
    assert_ptr_equal(fast_map_find(fast_of(heap), slots), &fast_no_slab);
    assert_sound(heap);
}

/* A request of the core gets the memory of a kept slab before the heap grows. */
static void test_a_kept_slab_serves_a_longer_block(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    (void)allocate(heap, 3 * MIB);
    struct fast_slab *slab = open_slab(heap, 5000);
    size_t slab_bytes = (size_t)slab->slot_count * slab->stride_bytes;
    uint8_t *slots = slab->slots;
    (void)allocate(heap, 20000);
    fixture->arena.budget_bytes = fixture->arena.usable_bytes;
    fill(heap);
    fixture->arena.budget_bytes = ARENA_BYTES;
    size_t heap_bytes = heap_size_bytes(heap);
    free_all_slots(heap, slab);
    assert_true(is_kept(heap, slab));
    uint8_t *block = allocate(heap, slab_bytes - 100);
    assert_true(block >= slots - FAST_PAGE_BYTES && block <= slots);
    assert_int_equal(heap_size_bytes(heap), heap_bytes);
    (void)allocate(heap, slab_bytes - 100);
    assert_true(heap_size_bytes(heap) > heap_bytes);
    assert_sound(heap);
}

/* Allocate a block, and add its slab to a list of different padded slabs. Return their number. */
static unsigned note_padded(struct heap *heap, size_t size_bytes, struct fast_slab *slabs[],
                            unsigned count)
{
    struct fast_slab *slab = fast_map_find(fast_of(heap), allocate(heap, size_bytes));
    if (slab == &fast_no_slab || !fast_slab_is_padded(slab))
        return count;
    for (unsigned i = 0; i < count; i++) {
        if (slabs[i] == slab)
            return count;
    }
    slabs[count] = slab;
    return count + 1;
}

/* A class of many blocks keeps its dense slabs when one of its padded slabs is closed, until it has
 * few. */
static void test_a_class_is_dense_while_it_has_many_blocks(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_class *size_class = &fast_of(heap)->classes[4];
    const uint8_t *class_of = &fast_of(heap)->class_of[64];
    struct fast_slab *slabs[128];
    unsigned count = 0;
    while (!fast_class_is_dense(*class_of) && count < 64)
        count = note_padded(heap, 64, slabs, count);
    for (unsigned i = 0; i < 4000 && count < 128; i++)
        count = note_padded(heap, 70, slabs, count);
    assert_in_range(count, 4, 127);
    for (unsigned i = 0; i < count; i++) {
        free_all_slots(heap, slabs[i]);
        fast_slab_flush(heap);
        assert_sound(heap);
        assert_int_equal(size_class->is_exact, fast_class_is_dense(*class_of));
        if (i == 0)
            assert_true(fast_class_is_dense(*class_of));
    }
    assert_int_equal(size_class->slot_count, 0);
    assert_int_equal(*class_of, 4);
    assert_false(size_class->is_mass);
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_a_closed_slab_leaves_its_record),
    TEST_OF_POLICY(test_a_record_that_is_too_short_is_not_used),
    TEST_OF_POLICY(test_few_records_are_spare),
    TEST_OF_POLICY(test_no_record_is_lost),
    TEST_OF_POLICY(test_a_write_before_a_record_is_found),
    TEST_OF_POLICY(test_a_lost_record_is_found),
    TEST_OF_POLICY(test_a_longer_record_is_taken),
    TEST_OF_POLICY(test_records_need_memory),
    TEST_OF_POLICY(test_a_kept_group_comes_back),
    TEST_OF_POLICY(test_no_wrong_link_of_a_group_is_followed),
    TEST_OF_POLICY(test_the_end_marker_is_no_block),
    TEST_OF_POLICY(test_no_wrong_place_of_the_map_is_followed),
    TEST_OF_POLICY(test_no_record_outside_of_the_heap_is_read),
    TEST_OF_POLICY(test_overwritten_reciprocal_of_the_usual_free_is_found),
    TEST_OF_POLICY(test_a_group_may_be_the_first_block),
    TEST_OF_POLICY(test_a_record_has_few_unused_words),
    TEST_OF_POLICY(test_an_overwritten_group_is_found),
    TEST_OF_POLICY(test_a_wrong_word_before_a_record_is_found),
    TEST_OF_POLICY(test_a_wrong_list_of_groups_is_found),
    TEST_OF_POLICY(test_a_full_group_on_the_list_is_found),
    TEST_OF_POLICY(test_a_wrong_group_that_is_kept_is_found),
    TEST_OF_POLICY(test_an_overwritten_group_gives_no_record),
    TEST_OF_POLICY(test_a_record_of_no_group_is_not_released),
    TEST_OF_POLICY(test_a_corrupt_heap_keeps_its_records),
    TEST_OF_POLICY(test_unused_groups_are_released_one_by_one),
    TEST_OF_POLICY(test_a_kept_slab_is_closed_if_it_has_the_memory),
    TEST_OF_POLICY(test_a_slab_with_a_block_is_not_closed),
    TEST_OF_POLICY(test_the_oldest_slab_with_enough_memory_is_closed),
    TEST_OF_POLICY(test_an_empty_slab_that_is_not_current_keeps_no_place),
    TEST_OF_POLICY(test_one_empty_slab_is_kept_when_memory_is_short),
    TEST_OF_POLICY(test_a_kept_slab_serves_a_longer_block),
    TEST_OF_POLICY(test_a_class_is_dense_while_it_has_many_blocks),
};

int main(void)
{
    return heap_policy_test_run("spare slabs", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
