/* The handed-over framebuffer. Catalogue group FW. */
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "tests/unit/support/handoff_expect.h"

/* Without a framebuffer, and with an array that cannot be read: no pointer is followed. */
static void test_framebuffer_is_absent(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    sample->handoff->framebuffers = (struct handoff_array){0, 0, 0};
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    assert_int_equal(view.framebuffer_status, HANDOFF_FRAMEBUFFER_ABSENT);
    assert_int_equal(view.framebuffer.size_bytes, 0);
    const uint64_t places[] = {UINT64_MAX - 7, UINT64_C(1) << 46, SAMPLE_FRAMEBUFFER_BASE};
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct handoff_framebuffer screen;
        sample->handoff->framebuffers = (struct handoff_array){places[i], 1, 64};
        handoff_sample_seal(sample);
        assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    }
}

/* A bad framebuffer is only a warning. */
static void framebuffer_gives(struct handoff_sample *sample,
                              enum handoff_framebuffer_status expected)
{
    struct handoff_view view;
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    if (view.framebuffer_status != expected)
        fail_msg("'%s' instead of '%s'", handoff_framebuffer_text(view.framebuffer_status),
                 handoff_framebuffer_text(expected));
}

#define assert_framebuffer_field_gives(sample, field, bad_value, expected)                         \
    do {                                                                                           \
        struct handoff_framebuffer good = *handoff_sample_framebuffer(sample);                     \
        handoff_sample_framebuffer(sample)->field = (bad_value);                                   \
        framebuffer_gives((sample), (expected));                                                   \
        *handoff_sample_framebuffer(sample) = good;                                                \
    } while (0)

static void test_FW15_bad_framebuffer_is_ignored_with_a_reason(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_framebuffer_status format = HANDOFF_FRAMEBUFFER_FORMAT;
    enum handoff_framebuffer_status geometry = HANDOFF_FRAMEBUFFER_GEOMETRY;
    enum handoff_framebuffer_status place = HANDOFF_FRAMEBUFFER_PLACE;
    assert_framebuffer_field_gives(sample, pixel_format, 0, format);
    assert_framebuffer_field_gives(sample, pixel_format, 4, format);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 24, format);
    assert_framebuffer_field_gives(sample, width_pixels, 0, geometry);
    assert_framebuffer_field_gives(sample, height_pixels, 0, geometry);
    assert_framebuffer_field_gives(sample, width_pixels, 801, geometry);
    assert_framebuffer_field_gives(sample, pitch_bytes, 3199, geometry);
    assert_framebuffer_field_gives(sample, pitch_bytes, UINT32_MAX, geometry);
    assert_framebuffer_field_gives(sample, height_pixels, UINT32_MAX, geometry);
    assert_framebuffer_field_gives(sample, size_bytes, 3200 * 599, geometry);
    assert_framebuffer_field_gives(sample, base, 0, place);
    assert_framebuffer_field_gives(sample, base, SAMPLE_FRAMEBUFFER_BASE + 4, place);
    assert_framebuffer_field_gives(sample, base, SAMPLE_USABLE_BASE, place);
    assert_framebuffer_field_gives(sample, base, ~PAGE_MASK, place);
    assert_framebuffer_field_gives(sample, size_bytes, SAMPLE_FRAMEBUFFER_SIZE + 4096, place);
    assert_framebuffer_field_gives(sample, size_bytes, UINT64_MAX, place);
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_OK);
}

static void test_framebuffer_masks_must_fit_and_not_overlap(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_framebuffer *framebuffer = handoff_sample_framebuffer(sample);
    framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_MASKS;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_FORMAT); /* all masks 0 */
    framebuffer->bits_per_pixel = 16;
    framebuffer->red_mask = 0xf800;
    framebuffer->green_mask = 0x07e0;
    framebuffer->blue_mask = 0x001f;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_OK);
    assert_framebuffer_field_gives(sample, red_mask, 0x1f800, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, blue_mask, 0x003f, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, green_mask, 0, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 15, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 64, HANDOFF_FRAMEBUFFER_FORMAT);
}

static void test_framebuffer_beyond_the_direct_map_window_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_region(sample, 9)->base = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    handoff_sample_framebuffer(sample)->base = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_PLACE);
}

/* If RAM counted as a screen, it would be overwritten. */
static void test_framebuffer_that_is_not_mapped_as_one_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    uint64_t address = LAYOUT_DIRECT_MAP_BASE + SAMPLE_FRAMEBUFFER_BASE;
    struct handoff_framebuffer screen;
    const struct page_permissions others[] = {
        {.write = true},
        {.write = true, .memory_type = PAGE_MEMORY_UNCACHED},
        {.write = false, .memory_type = PAGE_MEMORY_WRITE_COMBINING},
    };
    handoff_sample_unmap(sample, address, PAGE_SIZE_BYTES);
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_NOT_MAPPED);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        handoff_sample_map(sample, address, SAMPLE_FRAMEBUFFER_BASE, PAGE_SIZE_BYTES, others[i]);
        framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_NOT_MAPPED);
        assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
        handoff_sample_unmap(sample, address, PAGE_SIZE_BYTES);
    }
}

static void test_every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = HANDOFF_FRAMEBUFFER_OK; a <= HANDOFF_FRAMEBUFFER_NOT_MAPPED; a++) {
        for (int b = HANDOFF_FRAMEBUFFER_OK; b < a; b++)
            assert_string_not_equal(handoff_framebuffer_text((enum handoff_framebuffer_status)a),
                                    handoff_framebuffer_text((enum handoff_framebuffer_status)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_framebuffer_is_absent),
        HANDOFF_TEST(test_FW15_bad_framebuffer_is_ignored_with_a_reason),
        HANDOFF_TEST(test_framebuffer_masks_must_fit_and_not_overlap),
        HANDOFF_TEST(test_framebuffer_beyond_the_direct_map_window_is_ignored),
        HANDOFF_TEST(test_framebuffer_that_is_not_mapped_as_one_is_ignored),
        HANDOFF_TEST(test_every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
