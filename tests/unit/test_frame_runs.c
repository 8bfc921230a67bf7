/* Runs of frames in fragmented memory: the number of words and bounds that a request reads. They
 * are counted, not timed. For each pattern, two sizes of RAM must have the same count. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "shared/handoff.h"
#include "shared/region.h"
#include "tests/unit/support/random.h"

#define EARLY_HEAP_BYTES (UINT64_C(32) << 20)
#define FRAMES_PER_GIB   (GIB / 4096)

/* The limit of steps for one request, for each change since the last request. It does not depend on
 * the RAM. A request reads the words of a block once. It reads the words of a group, and the
 * children's bounds of three levels, twice. */
#define STEPS_OF_BLOCK  64U
#define STEPS_OF_GROUP  1024U
#define STEPS_OF_LEVELS (256U + 64U + 64U)
#define STEPS_OF_CHANGE (STEPS_OF_BLOCK + 2 * STEPS_OF_GROUP + 2 * STEPS_OF_LEVELS + 64U)

struct machine {
    struct handoff_region row;
    struct region_list regions;
    void *early_heap_region;
    struct early_heap early_heap;
    struct frame_allocator frames;
    uint64_t first; /* frame */
    uint64_t end;
};

static struct machine *machine_create(uint64_t gib)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    machine->row = region_make(1 << 20, gib * GIB, HANDOFF_REGION_USABLE, 0, 0xf);
    machine->regions = (struct region_list){&machine->row, 1, sizeof(machine->row)};
    machine->first = machine->row.base / 4096;
    machine->end = machine->first + gib * FRAMES_PER_GIB;
    machine->early_heap_region = aligned_alloc(4096, EARLY_HEAP_BYTES);
    assert_int_equal(early_heap_initialise(&machine->early_heap,
                                           virt_addr((uintptr_t)machine->early_heap_region),
                                           EARLY_HEAP_BYTES),
                     EARLY_HEAP_OK);
    assert_int_equal(frame_allocator_initialise(&machine->frames, &machine->regions,
                                                &machine->early_heap, virt_addr(0)),
                     FRAME_ALLOCATOR_OK);
    return machine;
}

static void machine_destroy(struct machine *machine)
{
    assert_null(frame_allocator_check(&machine->frames));
    free(machine->early_heap_region);
    free(machine);
}

static void give(struct machine *machine, uint64_t frame, uint64_t count)
{
    frame_allocator_free_contiguous(&machine->frames, phys_addr(frame * 4096), count);
}

static bool ask_below(struct machine *machine, uint64_t count, uint64_t alignment, uint64_t limit,
                      uint64_t *ret_frame)
{
    struct phys_addr base = {0};
    bool found = frame_allocator_allocate_contiguous(&machine->frames, count, alignment,
                                                     phys_range(0, limit), &base);
    *ret_frame = base.value / 4096;
    return found;
}

static bool ask(struct machine *machine, uint64_t count, uint64_t alignment, uint64_t *ret_frame)
{
    return ask_below(machine, count, alignment, UINT64_MAX, ret_frame);
}

static void take_all(struct machine *machine)
{
    uint64_t frame;
    assert_true(ask(machine, machine->end - machine->first, 1, &frame));
}

/* Of each `period` frames the first is used, and `run` frames are free. */
static void fragment(struct machine *machine, uint64_t run, uint64_t period)
{
    take_all(machine);
    for (uint64_t frame = (machine->first + period - 1) / period * period;
         frame + period <= machine->end; frame += period)
        give(machine, frame + 1, run);
}

static uint64_t steps(const struct machine *machine)
{
    return frame_allocator_statistics(&machine->frames).run_search_step_count;
}

/* Return the number of steps of a request that is refused. */
static uint64_t steps_of_refusal(struct machine *machine, uint64_t count, uint64_t alignment)
{
    uint64_t before = steps(machine);
    uint64_t frame;
    assert_false(ask(machine, count, alignment, &frame));
    return steps(machine) - before;
}

/* --- Refusals --------------------------------------------------------------------------------- */

static const struct pattern {
    uint64_t run;
    uint64_t period;
    uint64_t count; /* of a request that is refused */
    uint64_t alignment;
    uint64_t gib[2];
} patterns[] = {
    {80, 81, 95, 1, {4, 64}},
    {80, 81, 96, 1, {4, 64}},
    {80, 81, 81, 1, {4, 64}},
    {63, 64, 1, 64, {4, 64}},
    {63, 64, 16, 64, {4, 64}},
    {63, 64, 65, 2, {4, 64}},
    {511, 512, 256, 512, {4, 256}},
    {511, 512, 511, 512, {4, 256}},
    {511, 512, 512, 512, {4, 256}},
    {3, 4, 3, 4, {1, 8}},
    {3, 4, 2, 4, {1, 8}},
    {3, 4, 4, 1, {1, 8}},
    {1000, 1001, 1001, 1, {4, 256}},
    {4095, 4096, 1, 4096, {4, 256}},
    {4095, 4096, 4096, 1, {4, 256}},
    {8191, 8192, 1, 8192, {4, 256}},
    {65535, 65536, 1, 65536, {4, 256}},
    {65535, 65536, 65536, 1, {4, 256}},
    {65535, 65536, 65535, 2, {4, 256}},
    {(1 << 18) - 1, 1 << 18, 1, 1 << 18, {4, 256}},
    {(1 << 18) - 1, 1 << 18, 1 << 18, 1, {4, 256}},
    {(1 << 20) - 3, 1 << 20, 1 << 20, 1, {8, 256}},
};

static void assert_refusals_are_flat(const struct pattern *pattern, uint64_t gib)
{
    struct machine *machine = machine_create(gib);
    uint64_t blocks = gib * FRAMES_PER_GIB / 4096;
    fragment(machine, pattern->run, pattern->period);
    uint64_t frame;
    if (ask(machine, pattern->count, pattern->alignment, &frame)) {
        give(machine, frame, pattern->count);
        fail_msg("%u frames at a multiple of %u are there", (unsigned)pattern->count,
                 (unsigned)pattern->alignment);
    }
    assert_in_range(steps(machine), 0, blocks * (2 * STEPS_OF_BLOCK + 8) + STEPS_OF_CHANGE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(steps_of_refusal(machine, pattern->count, pattern->alignment), 1);
    machine_destroy(machine);
}

static void test_a_run_is_refused_by_one_comparison_whatever_the_pattern(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        assert_refusals_are_flat(&patterns[i], patterns[i].gib[0]);
        assert_refusals_are_flat(&patterns[i], patterns[i].gib[1]);
    }
}

/* Runs of any length up to 2 * mean or so, with gaps of 1 … 3. */
static void fragment_by_chance(struct machine *machine, uint64_t mean, struct random *random)
{
    take_all(machine);
    for (uint64_t frame = machine->first + 1; frame + mean * 2 < machine->end;) {
        uint64_t run = 1 + random_below(random, mean);
        give(machine, frame, run);
        frame += run + 1 + random_below(random, 3);
    }
}

/* Request the length of the bound. The run exists, or the bound was too high; then it is exact now.
 */
static void assert_bound_is_exact_soon(struct machine *machine, uint64_t alignment)
{
    const struct bit_tree *tree = &machine->frames.free_frames;
    uint64_t bound = bit_tree_run_bound(tree, alignment);
    uint64_t frame = 0;
    if (bound > 0 && !ask(machine, bound, alignment, &frame)) {
        bound = bit_tree_run_bound(tree, alignment);
        assert_true(bound == 0 || ask(machine, bound, alignment, &frame));
    }
    if (bound > 0)
        give(machine, frame, bound);
    assert_in_range(steps_of_refusal(machine, bound + 1, alignment), 1, 2 * STEPS_OF_BLOCK + 8);
    assert_int_equal(steps_of_refusal(machine, bound + 1, alignment), 1);
}

static void test_patterns_by_chance_are_computed_once(void **state)
{
    struct random random = {5};
    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        struct machine *machine = machine_create(2);
        uint64_t mean = 2 + random_below(&random, round % 3 == 0 ? 4000 : 60);
        fragment_by_chance(machine, mean, &random);
        (void)steps_of_refusal(machine, mean + 1, 1);
        for (uint64_t alignment = 1; alignment <= 1 << 18; alignment *= 2) {
            assert_int_equal(steps_of_refusal(machine, mean + 1, alignment), 1);
            assert_bound_is_exact_soon(machine, alignment);
        }
        machine_destroy(machine);
    }
}

/* --- Changes between the requests ------------------------------------------------------------- */

static void test_a_frame_freed_anywhere_costs_one_block(void **state)
{
    (void)state;
    for (uint64_t gib = 4; gib <= 64; gib *= 16) {
        struct machine *machine = machine_create(gib);
        struct random random = {gib};
        fragment(machine, 63, 64);
        (void)steps_of_refusal(machine, 1, 64);
        for (unsigned i = 0; i < 500; i++) {
            uint64_t frame = machine->first + random_below(&random, machine->end - machine->first);
            frame -= frame % 64;
            if (frame < machine->first + 64 || frame + 64 > machine->end)
                continue;
            uint64_t found;
            give(machine, frame, 1);
            assert_in_range(steps_of_refusal(machine, 129, 1), 0, 127);
            assert_true(ask(machine, 1, 64, &found));
            assert_int_equal(found, frame);
        }
        machine_destroy(machine);
    }
}

/* Free one frame in each block, and then make a request: it reads each block once, and no group
 * twice. */
static void test_k_changes_cost_k_blocks(void **state)
{
    struct machine *machine = machine_create(16);
    (void)state;
    fragment(machine, 63, 64);
    (void)steps_of_refusal(machine, 128, 1);
    for (uint64_t count = 1; count <= 1024; count *= 4) {
        for (uint64_t i = 0; i < count; i++)
            give(machine, (i * 4 + 2) * 1024, 1);
        assert_in_range(steps_of_refusal(machine, 128, 1), 0, count * (STEPS_OF_BLOCK + 4) + 8);
        assert_int_equal(steps_of_refusal(machine, 128, 1), 1);
        for (uint64_t i = 0; i < count; i++) {
            uint64_t frame;
            assert_true(ask_below(machine, 1, 64, ((i * 4 + 2) * 1024 + 1) * 4096, &frame));
        }
        (void)steps_of_refusal(machine, 128, 1);
    }
    machine_destroy(machine);
}

/* A run is freed and allocated again. The next request finds that the bound is too high, but only
 * for the groups of the run and not for all RAM. */
static void test_a_run_that_comes_and_goes_costs_its_group(void **state)
{
    (void)state;
    for (uint64_t gib = 4; gib <= 64; gib *= 16) {
        struct machine *machine = machine_create(gib);
        struct random random = {gib};
        fragment(machine, 80, 81);
        (void)steps_of_refusal(machine, 95, 1);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t frame = (1 + machine->first / 81 + random_below(&random, gib * 3000)) * 81;
            uint64_t found;
            uint64_t before = steps(machine);
            give(machine, frame, 1);
            assert_true(ask(machine, 95, 1, &found));
            assert_true(found >= frame - 80 && found <= frame);
            /* This change, and the frames of the last round. */
            assert_in_range(steps(machine) - before, 0, 2 * STEPS_OF_CHANGE);
            assert_in_range(steps_of_refusal(machine, 95, 1), 0, 2 * STEPS_OF_CHANGE);
            assert_int_equal(steps_of_refusal(machine, 95, 1), 1);
            /* Restore the pattern: one frame is used at each multiple of 81. */
            give(machine, found, 95);
            assert_true(ask_below(machine, 1, 1, (frame + 1) * 4096, &found));
            assert_int_equal(found, frame);
        }
        machine_destroy(machine);
    }
}

/* The only run lies at the bottom, or across a boundary of blocks, groups or nodes. */
static void test_the_only_run_is_found_without_looking_at_all_of_memory(void **state)
{
    const uint64_t places[] = {64 * 5,         4096 * 3 - 64,  65536 - 64,
                               65536 * 7 - 64, (1 << 18) - 64, (1 << 20) - 64};
    (void)state;
    for (uint64_t gib = 4; gib <= 64; gib *= 16) {
        struct machine *machine = machine_create(gib);
        fragment(machine, 63, 64);
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            uint64_t frame;
            (void)steps_of_refusal(machine, 100, 1);
            give(machine, places[i] + 64, 1); /* 63 + 1 + 63 */
            uint64_t before = steps(machine);
            assert_true(ask(machine, 100, 1, &frame));
            assert_int_equal(frame, places[i] + 28);
            assert_in_range(steps(machine) - before, 0, STEPS_OF_CHANGE);
            give(machine, frame, 100);
            assert_true(ask_below(machine, 1, 64, (places[i] + 65) * 4096, &frame));
            assert_int_equal(frame, places[i] + 64);
        }
        machine_destroy(machine);
    }
}

/* A limit splits one node on each level. The search reads only these nodes, and does not compute
 * their bounds again. */
static void test_a_limit_costs_only_its_ends(void **state)
{
    (void)state;
    for (uint64_t gib = 4; gib <= 64; gib *= 16) {
        struct machine *machine = machine_create(gib);
        struct random random = {gib};
        fragment(machine, 63, 64);
        give(machine, 64 * 64, 1); /* the run is at the bottom, below all limits */
        give(machine, machine->end / 64 * 64 - 64, 1);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t lowest = 100000 + random_below(&random, gib * FRAMES_PER_GIB - 200000);
            uint64_t limit = lowest + 65 + random_below(&random, machine->end - lowest - 4200);
            struct phys_addr base;
            uint64_t before = steps(machine);
            assert_false(frame_allocator_allocate_contiguous(
                &machine->frames, 100, 1, phys_range(lowest * 4096, limit * 4096), &base));
            if (i > 0)
                assert_in_range(steps(machine) - before, 0,
                                2 * (STEPS_OF_GROUP + STEPS_OF_LEVELS) + 64);
        }
        machine_destroy(machine);
    }
}

/* The run is in the group, but outside of the limits. So the group's bounds are not computed
 * again. */
static void test_a_limit_within_a_group_does_not_have_it_computed_again(void **state)
{
    struct machine *machine = machine_create(4);
    const uint64_t group = 65536 * 9;
    (void)state;
    fragment(machine, 63, 64);
    give(machine, group + 64, 1); /* 63 + 1 + 63 */
    for (unsigned i = 0; i < 5; i++) {
        struct phys_addr base;
        uint64_t before = steps(machine);
        assert_false(frame_allocator_allocate_contiguous(
            &machine->frames, 100, 1, phys_range((group + 4096) * 4096, (group + 60000) * 4096),
            &base));
        if (i > 0)
            assert_in_range(steps(machine) - before, 0, STEPS_OF_GROUP + STEPS_OF_LEVELS);
    }
    machine_destroy(machine);
}

struct run {
    uint64_t first;
    uint64_t count;
};

/* Allocate or free one run by chance. Return the number of steps. */
static uint64_t one_of_a_mix(struct machine *machine, struct random *random, struct run *held,
                             unsigned *held_count)
{
    uint64_t before = steps(machine);
    uint64_t frame;
    if (*held_count == 0 || (*held_count < 400 && random_below(random, 2) == 0)) {
        uint64_t count = 1 + random_below(random, random_below(random, 4) == 0 ? 600 : 64);
        uint64_t alignment = UINT64_C(1) << random_below(random, 12);
        uint64_t limit = machine->first + random_below(random, machine->end - machine->first);
        if (random_below(random, 8) != 0)
            limit = machine->end;
        if (ask_below(machine, count, alignment, limit * 4096, &frame))
            held[(*held_count)++] = (struct run){frame, count};
    } else {
        struct run *freed = &held[random_below(random, *held_count)];
        give(machine, freed->first, freed->count);
        *freed = held[--*held_count];
    }
    return steps(machine) - before;
}

static void test_a_mix_by_chance_costs_the_same_whatever_the_RAM(void **state)
{
    const unsigned call_count = 8000;
    (void)state;
    for (uint64_t gib = 4; gib <= 64; gib *= 16) {
        struct machine *machine = machine_create(gib);
        struct random random = {gib};
        struct run held[400];
        unsigned held_count = 0;
        uint64_t all = 0;
        fragment_by_chance(machine, 128, &random);
        (void)steps_of_refusal(machine, 1 << 20, 1);
        for (unsigned i = 0; i < call_count; i++) {
            uint64_t looked_at = one_of_a_mix(machine, &random, held, &held_count);
            assert_in_range(looked_at, 0, 4 * STEPS_OF_CHANGE);
            all += looked_at;
        }
        assert_in_range(all / call_count, 0, 4 * STEPS_OF_BLOCK);
        machine_destroy(machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_is_refused_by_one_comparison_whatever_the_pattern),
        cmocka_unit_test(test_patterns_by_chance_are_computed_once),
        cmocka_unit_test(test_a_frame_freed_anywhere_costs_one_block),
        cmocka_unit_test(test_k_changes_cost_k_blocks),
        cmocka_unit_test(test_a_run_that_comes_and_goes_costs_its_group),
        cmocka_unit_test(test_the_only_run_is_found_without_looking_at_all_of_memory),
        cmocka_unit_test(test_a_limit_costs_only_its_ends),
        cmocka_unit_test(test_a_mix_by_chance_costs_the_same_whatever_the_RAM),
        cmocka_unit_test(test_a_limit_within_a_group_does_not_have_it_computed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
