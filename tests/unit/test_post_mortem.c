#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "shared/post_mortem.h"

#define SLOT  POST_MORTEM_SLOT_SIZE_BYTES
#define STATE 32 /* the offset of the stage in the header */

struct pages {
    _Alignas(8) unsigned char bytes[POST_MORTEM_AREA_SIZE_BYTES];
};

static struct post_mortem panic_of(const char *log, const char *report)
{
    return (struct post_mortem){
        .stage = POST_MORTEM_PANIC,
        .code = 0x1e,
        .log = log,
        .log_size_bytes = strlen(log),
        .report = report,
        .report_size_bytes = strlen(report),
    };
}

static const struct post_mortem begun = {.stage = POST_MORTEM_LOADER};

/* Random bytes, as RAM may hold them after power-on, without a magic number. */
static struct post_mortem_area fresh_area(struct pages *pages)
{
    struct post_mortem record;
    enum post_mortem_status damage;
    struct post_mortem_area area = {.bytes = pages->bytes};
    memset(pages, 0xa5, sizeof(*pages));
    assert_int_equal(post_mortem_find(&area, &record, &damage), POST_MORTEM_ABSENT);
    assert_int_equal(damage, POST_MORTEM_OK);
    return area;
}

/* Find the newest record as a new boot does. */
static struct post_mortem expect_newest(struct pages *pages, enum post_mortem_stage stage)
{
    struct post_mortem record = {.stage = 0};
    enum post_mortem_status damage;
    struct post_mortem_area area = {.bytes = pages->bytes};
    assert_int_equal(post_mortem_find(&area, &record, &damage), POST_MORTEM_OK);
    assert_int_equal(damage, POST_MORTEM_OK);
    assert_int_equal(record.stage, stage);
    return record;
}

static void assert_text(const char *expected, const char *text, size_t size_bytes)
{
    assert_int_equal(strlen(expected), size_bytes);
    assert_memory_equal(expected, text, size_bytes);
}

static void test_record_comes_back(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    struct post_mortem panic = panic_of("[heap] a\n", "[panic] b\n");
    post_mortem_write(&area, &panic);
    struct post_mortem record = expect_newest(&pages, POST_MORTEM_PANIC);
    assert_int_equal(record.code, 0x1e);
    assert_text("[heap] a\n", record.log, record.log_size_bytes);
    assert_text("[panic] b\n", record.report, record.report_size_bytes);
}

static void test_newest_of_many_records_counts(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    for (uint32_t code = 1; code < 10; code++) {
        struct post_mortem record = {.stage = POST_MORTEM_PANIC, .code = code};
        post_mortem_write(&area, &record);
        assert_int_equal(expect_newest(&pages, POST_MORTEM_PANIC).code, code);
    }
    assert_int_equal(expect_newest(&pages, POST_MORTEM_PANIC).sequence, area.sequence);
}

static void test_sequence_numbers_wrap(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    area.sequence = UINT32_MAX - 2;
    for (uint32_t code = 1; code < 6; code++) {
        struct post_mortem record = {.stage = POST_MORTEM_PANIC, .code = code};
        post_mortem_write(&area, &record);
        assert_int_equal(expect_newest(&pages, POST_MORTEM_PANIC).code, code);
    }
}

static void test_stage_changes_in_place(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    post_mortem_write(&area, &begun);
    for (int stage = POST_MORTEM_LOADER; stage <= POST_MORTEM_ENDED; stage++) {
        post_mortem_set_stage(&area, (enum post_mortem_stage)stage);
        expect_newest(&pages, (enum post_mortem_stage)stage);
        assert_true(strlen(post_mortem_stage_text((enum post_mortem_stage)stage)) > 10);
    }
}

/* --- Foreign bytes ---------------------------------------------------------------------------- */

/* A slot with a record on the heap, cut to `size_bytes`, so that ASan finds a read past its end. */
static enum post_mortem_status read_copy(const unsigned char *slot, size_t size_bytes)
{
    struct post_mortem untouched;
    struct post_mortem record;
    unsigned char *copy = malloc(size_bytes > 0 ? size_bytes : 1);
    assert_non_null(copy);
    memset(&untouched, 0x77, sizeof(untouched));
    record = untouched;
    memcpy(copy, slot, size_bytes);
    enum post_mortem_status status = post_mortem_read(copy, size_bytes, &record);
    if (status != POST_MORTEM_OK)
        assert_memory_equal(&record, &untouched, sizeof(record));
    free(copy);
    return status;
}

static const unsigned char *written_slot(struct pages *pages, size_t *ret_size_bytes)
{
    struct post_mortem_area area = fresh_area(pages);
    struct post_mortem panic = panic_of("[heap] a\n[ready] b\n", "[panic] c\n");
    post_mortem_write(&area, &panic);
    *ret_size_bytes = 64 + panic.log_size_bytes + panic.report_size_bytes;
    return pages->bytes + (size_t)area.slot * SLOT;
}

static void test_I6_truncation_at_every_byte_is_refused(void **state)
{
    (void)state;
    struct pages pages;
    size_t size_bytes;
    const unsigned char *slot = written_slot(&pages, &size_bytes);
    for (size_t length = 0; length <= SLOT; length++)
        assert_int_equal(read_copy(slot, length),
                         length < size_bytes ? POST_MORTEM_BAD_SIZE : POST_MORTEM_OK);
}

static void test_I6_every_bit_counts(void **state)
{
    (void)state;
    struct pages pages;
    size_t size_bytes;
    written_slot(&pages, &size_bytes);
    unsigned char *slot = pages.bytes + SLOT; /* the second slot comes first */
    for (size_t bit = 0; bit < SLOT * 8; bit++) {
        slot[bit / 8] ^= (unsigned char)(1u << bit % 8);
        enum post_mortem_status status = read_copy(slot, SLOT);
        if (bit / 8 < 8)
            assert_int_equal(status, POST_MORTEM_ABSENT);
        else
            assert_int_equal(status == POST_MORTEM_OK, bit / 8 >= size_bytes);
        slot[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void test_I6_each_kind_of_damage_has_its_name(void **state)
{
    (void)state;
    const struct {
        size_t offset;
        unsigned char value;
        enum post_mortem_status status;
    } damages[] = {
        {8, 2, POST_MORTEM_OTHER_VERSION}, {12, 63, POST_MORTEM_BAD_SIZE},
        {14, 1, POST_MORTEM_BAD_SIZE},     {28, 30, POST_MORTEM_BAD_SIZE},
        {16, 0, POST_MORTEM_BAD_CHECKSUM}, {STATE, 7, POST_MORTEM_BAD_STAGE},
        {STATE, 0, POST_MORTEM_BAD_STAGE},
    };
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct pages pages;
        size_t size_bytes;
        written_slot(&pages, &size_bytes);
        pages.bytes[SLOT + damages[i].offset] = damages[i].value;
        assert_int_equal(read_copy(pages.bytes + SLOT, SLOT), damages[i].status);
        assert_true(strlen(post_mortem_status_text(damages[i].status)) > 10);
    }
    assert_string_equal(post_mortem_status_text(POST_MORTEM_ABSENT), "it is no record");
}

static void test_I6_damaged_record_beside_a_good_one(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem record;
    enum post_mortem_status damage;
    struct post_mortem_area area = fresh_area(&pages);
    struct post_mortem panic = panic_of("", "[panic]\n");
    post_mortem_write(&area, &begun);
    post_mortem_write(&area, &panic);
    pages.bytes[(size_t)area.slot * SLOT + 64] ^= 1;
    assert_int_equal(post_mortem_find(&area, &record, &damage), POST_MORTEM_OK);
    assert_int_equal(damage, POST_MORTEM_BAD_CHECKSUM);
    assert_int_equal(record.stage, POST_MORTEM_LOADER);
}

/* --- Cuts ------------------------------------------------------------------------------------- */

static void test_long_texts_are_cut_to_fit(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    static char log[5001];
    static char report[5001];
    for (size_t i = 0; i < 5000; i++) {
        log[i] = i % 100 == 99 ? '\n' : 'l';
        report[i] = 'r';
    }
    struct post_mortem panic = panic_of(log, report);
    post_mortem_write(&area, &panic);
    struct post_mortem record = expect_newest(&pages, POST_MORTEM_PANIC);
    assert_int_equal(record.log_size_bytes, 1200); /* whole lines, the newest */
    assert_int_equal(record.report_size_bytes, SLOT - 64 - 1200);
    assert_memory_equal(record.log, log + 3800, 1200);
    assert_memory_equal(record.report, report, record.report_size_bytes);
    panic.log_size_bytes = 4950; /* the cut is now inside a line */
    post_mortem_write(&area, &panic);
    record = expect_newest(&pages, POST_MORTEM_PANIC);
    assert_int_equal(record.log_size_bytes, 1150);
    assert_int_equal(record.report_size_bytes, SLOT - 64 - 1150);
}

static void test_log_of_one_endless_line_is_left_out(void **state)
{
    (void)state;
    struct pages pages;
    struct post_mortem_area area = fresh_area(&pages);
    static char log[3001];
    memset(log, 'l', 3000);
    struct post_mortem panic = panic_of(log, "[panic]\n");
    post_mortem_write(&area, &panic);
    struct post_mortem record = expect_newest(&pages, POST_MORTEM_PANIC);
    assert_int_equal(record.log_size_bytes, 0);
    assert_text("[panic]\n", record.report, record.report_size_bytes);
}

/* --- Interrupted writes ----------------------------------------------------------------------- */

/* The RAM at each moment at which the writer has made its stores visible. */
#define MOMENT_LIMIT 8
static struct pages moments[MOMENT_LIMIT];
static size_t moment_count;
static const unsigned char *watched;

static void take_moment(const void *start, size_t size_bytes)
{
    assert_true((const unsigned char *)start >= watched && size_bytes <= SLOT);
    assert_true(moment_count < MOMENT_LIMIT);
    memcpy(&moments[moment_count++], watched, sizeof(struct pages));
}

/* Of a write, only the first `count` bytes that differ have reached the RAM. */
static void mix(const struct pages *before, const struct pages *after, size_t count,
                struct pages *ret_pages)
{
    *ret_pages = *before;
    memcpy(ret_pages->bytes, after->bytes, count);
}

static void mix_at_random(const struct pages *before, const struct pages *after,
                          struct pages *ret_pages)
{
    static uint32_t random = 1;
    for (size_t i = 0; i < sizeof(ret_pages->bytes); i++) {
        random = random * 1664525 + 1013904223;
        ret_pages->bytes[i] = random >> 31 != 0 ? before->bytes[i] : after->bytes[i];
    }
}

static void expect_old_or_new(struct pages *pages)
{
    struct post_mortem record;
    enum post_mortem_status damage;
    struct post_mortem_area area = {.bytes = pages->bytes};
    assert_int_equal(post_mortem_find(&area, &record, &damage), POST_MORTEM_OK);
    assert_int_equal(damage, POST_MORTEM_OK);
    if (record.stage == POST_MORTEM_KERNEL) {
        assert_text("old log\n", record.log, record.log_size_bytes);
        return;
    }
    assert_int_equal(record.stage, POST_MORTEM_PANIC);
    assert_text("new log\n", record.log, record.log_size_bytes);
    assert_text("new report\n", record.report, record.report_size_bytes);
}

static void test_I8_reset_in_mid_write_leaves_the_old_or_the_new_record(void **state)
{
    (void)state;
    struct pages pages;
    struct pages mixed;
    struct post_mortem_area area = fresh_area(&pages);
    struct post_mortem oldest = panic_of("older log\n", "a longer report than the new one\n");
    struct post_mortem old = panic_of("old log\n", "");
    struct post_mortem new = panic_of("new log\n", "new report\n");
    old.stage = POST_MORTEM_KERNEL;
    post_mortem_write(&area, &oldest);
    post_mortem_write(&area, &old);
    watched = pages.bytes;
    moment_count = 0;
    area.flush = take_moment;
    moments[moment_count++] = pages;
    post_mortem_write(&area, &new);
    assert_int_equal(moment_count, 4); /* the magic number gone, the body, the magic number */
    for (size_t i = 1; i < moment_count; i++) {
        for (size_t count = 0; count <= sizeof(mixed.bytes); count++) {
            mix(&moments[i - 1], &moments[i], count, &mixed);
            expect_old_or_new(&mixed);
        }
        for (unsigned round = 0; round < 200; round++) {
            mix_at_random(&moments[i - 1], &moments[i], &mixed);
            expect_old_or_new(&mixed);
        }
    }
    assert_int_equal(expect_newest(&pages, POST_MORTEM_PANIC).code, 0x1e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_comes_back),
        cmocka_unit_test(test_newest_of_many_records_counts),
        cmocka_unit_test(test_sequence_numbers_wrap),
        cmocka_unit_test(test_stage_changes_in_place),
        cmocka_unit_test(test_I6_truncation_at_every_byte_is_refused),
        cmocka_unit_test(test_I6_every_bit_counts),
        cmocka_unit_test(test_I6_each_kind_of_damage_has_its_name),
        cmocka_unit_test(test_I6_damaged_record_beside_a_good_one),
        cmocka_unit_test(test_long_texts_are_cut_to_fit),
        cmocka_unit_test(test_log_of_one_endless_line_is_left_out),
        cmocka_unit_test(test_I8_reset_in_mid_write_leaves_the_old_or_the_new_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
