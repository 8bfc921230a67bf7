/*
 * test_kernel_base.c - the addresses at which a static PIE may be mapped.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/kernel_base.h"
#include "shared/address.h"
#include "tests/unit/support/random.h"

static struct elf_plan plan_of(uint64_t start, uint64_t size_bytes, uint64_t alignment_bytes)
{
    return (struct elf_plan){
        .is_relocatable = true,
        .entry = virt_addr(start + 0x40),
        .image = virt_range(start, start + size_bytes),
        .alignment_bytes = alignment_bytes,
        .segment_count = 2,
        .segments = {{.memory = virt_range(start, start + 0x1000), .execute = true},
                     {.memory = virt_range(start + 0x1008, start + size_bytes), .write = true}},
    };
}

static void assert_good_slide(const struct elf_plan *linked, uint64_t slide)
{
    struct elf_plan plan = *linked;
    kernel_base_move(&plan, slide);
    assert_true(plan.image.start.value >= ELF_LOWEST_ADDRESS);
    assert_true(plan.image.end.value > plan.image.start.value);
    assert_int_equal(virt_range_size_bytes(plan.image), virt_range_size_bytes(linked->image));
    assert_int_equal(slide % linked->alignment_bytes, 0);
    assert_int_equal(plan.slide, slide);
    assert_int_equal(plan.entry.value - plan.image.start.value, 0x40);
    assert_int_equal(plan.segments[0].memory.start.value, plan.image.start.value);
    assert_int_equal(plan.segments[1].memory.start.value, plan.image.start.value + 0x1008);
    assert_int_equal(plan.segments[1].memory.end.value, plan.image.end.value);
    assert_int_equal(plan.alignment_bytes, linked->alignment_bytes);
}

static void test_number_of_bases(void **state)
{
    (void)state;
    static const struct {
        uint64_t start, size_bytes, alignment_bytes, expected;
    } CASES[] = {
        {0, 4 * KIB, 4 * KIB, 262144},
        {0, 2 * MIB, 4 * KIB, 262144 - 511},
        {0x400000, 2 * MIB, 2 * MIB, 512},
        {0x401000, 2 * MIB, 2 * MIB, 511},
        {0, 256 * MIB, 4 * KIB, 196609},
        {0, 256 * MIB, GIB, 1},
        {GIB - 4 * KIB, 256 * MIB, GIB, 1}, /* only behind the window */
        {GIB - 4 * KIB, 8 * KIB, GIB, 1},
        {ELF_LOWEST_ADDRESS + 16 * KIB, 64 * KIB, 16 * KIB, 65536 - 3},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct elf_plan plan =
            plan_of(CASES[i].start, CASES[i].size_bytes, CASES[i].alignment_bytes);
        uint64_t count = kernel_base_count(&plan);
        assert_int_equal(count, CASES[i].expected);
        assert_good_slide(&plan, kernel_base_slide(&plan, 0));
        uint64_t last = kernel_base_slide(&plan, count - 1);
        assert_good_slide(&plan, last);
        uint64_t end = plan.image.end.value + last;
        assert_true(count == 1 || (end <= KERNEL_BASE_WINDOW_END &&
                                   end > KERNEL_BASE_WINDOW_END - plan.alignment_bytes));
        assert_good_slide(&plan, kernel_base_fixed_slide(&plan));
    }
}

static void test_fixed_base(void **state)
{
    (void)state;
    struct elf_plan plan = plan_of(0x201000, MIB, 2 * MIB);
    assert_int_equal(plan.image.start.value + kernel_base_fixed_slide(&plan),
                     ELF_LOWEST_ADDRESS + 0x1000);
    plan = plan_of(ELF_LOWEST_ADDRESS + 5 * MIB, MIB, 4 * KIB);
    assert_int_equal(kernel_base_fixed_slide(&plan), 0);
}

/* 1,000 seeds: every base is good, and they spread over the whole window. */
static void test_thousand_random_bases(void **state)
{
    (void)state;
    struct elf_plan plan = plan_of(0, 2 * MIB, 4 * KIB);
    struct random random = {1};
    unsigned in_part[16] = {0};
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t seed[8];
        for (size_t n = 0; n < sizeof(seed); n++)
            seed[n] = (uint8_t)(random_next(&random) >> 32);
        uint64_t slide = kernel_base_random_slide(&plan, seed);
        assert_good_slide(&plan, slide);
        assert_true(plan.image.end.value + slide <= KERNEL_BASE_WINDOW_END);
        assert_int_equal(kernel_base_random_slide(&plan, seed), slide);
        in_part[(slide - ELF_LOWEST_ADDRESS) / (64 * MIB)]++;
    }
    for (unsigned part = 0; part < 16; part++)
        assert_in_range(in_part[part], 30, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_of_bases),
        cmocka_unit_test(test_fixed_base),
        cmocka_unit_test(test_thousand_random_bases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
