/* The lines of print-map, over real tables of a fake machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/layout.h"
#include "kernel/mm/paging/page_runs.h"
#include "kernel/mm/paging/space_map.h"
#include "tests/unit/support/fake_machine.h"

#define LINE_LIMIT 64
/* An unused place in the upper half, and RAM that only the direct map maps. */
#define ELSEWHERE  UINT64_C(0xffffe80000000000)
#define SOME_FRAME UINT64_C(0x200000)

struct fixture {
    struct fake_machine machine;
    struct address_space space;
    char lines[LINE_LIMIT][SPACE_MAP_LINE_CAPACITY_BYTES];
    size_t line_count;
    uint64_t last_end;
    uint64_t mapped_bytes;
};

static int create_space(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    assert_int_equal(
        address_space_build(&fixture->space, &fixture->machine.plan, &fixture->machine.environment),
        PAGE_TABLE_OK);
    *state = fixture;
    return 0;
}

static int destroy_space(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

static void take_line(void *context, const struct space_map_line *line)
{
    struct fixture *fixture = context;
    assert_true(fixture->line_count < LINE_LIMIT);
    assert_true(line->virtual.start.value >= fixture->last_end); /* in order, no overlap */
    assert_true((line->run == NULL) != (line->guard == NULL));
    space_map_format(line, fixture->lines[fixture->line_count++], SPACE_MAP_LINE_CAPACITY_BYTES);
    fixture->last_end = line->virtual.end.value;
    if (line->run != NULL)
        fixture->mapped_bytes += line->run->size_bytes;
}

static void take_lines(struct fixture *fixture)
{
    fixture->line_count = 0;
    fixture->last_end = 0;
    fixture->mapped_bytes = 0;
    space_map_walk(&fixture->space, take_line, fixture);
}

static void assert_line(const struct fixture *fixture, const char *text)
{
    for (size_t i = 0; i < fixture->line_count; i++) {
        if (strcmp(fixture->lines[i], text) == 0)
            return;
    }
    for (size_t i = 0; i < fixture->line_count; i++)
        print_error("%s\n", fixture->lines[i]);
    fail_msg("no line \"%s\"", text);
}

static bool add_size(void *context, const struct page_mapping *mapping)
{
    *(uint64_t *)context += mapping->page_size_bytes;
    return true;
}

static void test_every_mapped_byte_is_in_one_line(void **state)
{
    struct fixture *fixture = *state;
    uint64_t mapped_bytes = 0;
    page_table_walk(&fixture->space.table, add_size, &mapped_bytes);
    take_lines(fixture);
    assert_int_equal(fixture->mapped_bytes, mapped_bytes);
}

static void test_lines_have_place_size_access_type_pages_and_owner(void **state)
{
    struct fixture *fixture = *state;
    struct virt_addr top;
    assert_int_equal(address_space_map_stack(&fixture->space, "main stack", 65536, &top),
                     PAGE_TABLE_OK);
    take_lines(fixture);
    assert_string_equal(fixture->lines[0],
                        "from=0x0000000000000000 to=0x0000000000001000 size_kib=4 access=none "
                        "owner=\"guard: null pointer\"");
    assert_line(fixture, "from=0xffff800000001000 to=0xffff80000009f000 size_kib=632 access=rw- "
                         "memory=write-back global=yes pages=158x4K physical=0x1000 "
                         "owner=\"direct map of RAM\"");
    assert_line(fixture, "from=0xffff800000801000 to=0xffff800000806000 size_kib=20 access=r-- "
                         "memory=write-back global=yes pages=5x4K physical=0x801000 "
                         "owner=\"direct map of text\"");
    assert_line(fixture, "from=0xffff8000c0000000 to=0xffff8000c0800000 size_kib=8192 access=rw- "
                         "memory=write-combining global=yes pages=4x2M physical=0xc0000000 "
                         "owner=\"direct map of framebuffer\"");
    assert_line(fixture, "from=0xffffe00000000000 to=0xffffe00000001000 size_kib=4 access=none "
                         "owner=\"guard: main stack\"");
    assert_line(fixture, "from=0xffffffff80000000 to=0xffffffff80005000 size_kib=20 access=r-x "
                         "memory=write-back global=yes pages=5x4K physical=0x801000 "
                         "owner=\"text\"");
    assert_line(fixture, "from=0xffffffff80008000 to=0xffffffff80048000 size_kib=256 access=rw- "
                         "memory=write-back global=yes pages=64x4K physical=0x809000 "
                         "owner=\"data\"");
}

/* text and rodata have the same mapping in the direct map and touch, but have two owners. */
static void test_a_line_ends_with_its_owner(void **state)
{
    struct fixture *fixture = *state;
    take_lines(fixture);
    assert_line(fixture, "from=0xffff800000806000 to=0xffff800000809000 size_kib=12 access=r-- "
                         "memory=write-back global=yes pages=3x4K physical=0x806000 "
                         "owner=\"direct map of rodata\"");
}

static void map(struct fixture *fixture, uint64_t virtual, uint64_t physical, uint64_t size_bytes,
                struct page_permissions permissions)
{
    assert_int_equal(page_table_map(&fixture->space.table, virt_addr(virtual), phys_addr(physical),
                                    size_bytes, permissions, true),
                     PAGE_TABLE_OK);
}

static void test_sizes_scattered_frames_and_no_owner(void **state)
{
    struct fixture *fixture = *state;
    const struct page_permissions uncached = {.write = true, .memory_type = PAGE_MEMORY_UNCACHED};
    map(fixture, ELSEWHERE, 5 * GIB, GIB + 2 * MIB, uncached);
    map(fixture, ELSEWHERE + GIB + 2 * MIB, SOME_FRAME, 4096, uncached);
    take_lines(fixture);
    assert_line(fixture, "from=0xffffe80000000000 to=0xffffe80040201000 size_kib=1050628 "
                         "access=rw- memory=uncached global=no pages=1x4K,1x2M,1x1G "
                         "physical=scattered owner=\"nobody\"");
}

static void count_run(void *context, const struct page_run *run)
{
    (void)run;
    ++*(unsigned *)context;
}

/* Without areas, a run ends where its frames are not consecutive. */
static void test_runs_without_areas_are_contiguous(void **state)
{
    struct fixture *fixture = *state;
    unsigned before = 0, after = 0;
    page_runs_walk(&fixture->space.table, NULL, count_run, &before);
    map(fixture, ELSEWHERE, SOME_FRAME, 0x3000, (struct page_permissions){.write = true});
    map(fixture, ELSEWHERE + 0x3000, SOME_FRAME + 0x8000, 0x1000,
        (struct page_permissions){.write = true});
    map(fixture, ELSEWHERE + 0x4000, SOME_FRAME + 0x9000, 0x1000, (struct page_permissions){0});
    page_runs_walk(&fixture->space.table, NULL, count_run, &after);
    assert_int_equal(after, before + 3);
}

static void test_the_last_page_of_the_address_space_is_clipped(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, UINT64_MAX - 0xfff, SOME_FRAME, 0x1000, (struct page_permissions){0});
    take_lines(fixture);
    assert_int_equal(fixture->last_end, UINT64_MAX);
}

static void test_a_small_buffer_is_not_overrun(void **state)
{
    struct fixture *fixture = *state;
    const struct space_map_line line = {.virtual = fixture->space.guards[0].virtual,
                                        .guard = &fixture->space.guards[0]};
    char *text = malloc(10);
    assert_non_null(text);
    space_map_format(&line, text, 10);
    assert_string_equal(text, "from=0x00");
    free(text);
}

#define ON_SPACE(test) cmocka_unit_test_setup_teardown(test, create_space, destroy_space)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SPACE(test_every_mapped_byte_is_in_one_line),
        ON_SPACE(test_lines_have_place_size_access_type_pages_and_owner),
        ON_SPACE(test_a_line_ends_with_its_owner),
        ON_SPACE(test_sizes_scattered_frames_and_no_owner),
        ON_SPACE(test_runs_without_areas_are_contiguous),
        ON_SPACE(test_the_last_page_of_the_address_space_is_clipped),
        ON_SPACE(test_a_small_buffer_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
