/* The choice of a mode by its size. */
#include "tests/unit/support/cmocka.h"

#include "bootloader/pure/screen_mode.h"

static struct framebuffer_mode mode_of(uint32_t width_pixels, uint32_t height_pixels)
{
    return (struct framebuffer_mode){
        .width_pixels = width_pixels,
        .height_pixels = height_pixels,
        .pixels_per_line = width_pixels,
        .pixel_format = FRAMEBUFFER_PIXELS_BGRX,
    };
}

/* Mode i of the list has the number i. */
static struct screen_choice choose(uint32_t width_pixels, uint32_t height_pixels,
                                   const struct framebuffer_mode *modes, uint32_t count)
{
    struct screen_choice choice = {.wanted = {width_pixels, height_pixels}};
    for (uint32_t i = 0; i < count; i++)
        screen_choice_consider(&choice, i, &modes[i]);
    return choice;
}

static void test_the_wanted_size_is_taken(void **state)
{
    (void)state;
    const struct framebuffer_mode modes[] = {mode_of(640, 480), mode_of(1024, 768),
                                             mode_of(1920, 1080), mode_of(1024, 768)};
    struct screen_choice choice = choose(1024, 768, modes, 4);
    assert_true(screen_choice_is_exact(&choice));
    assert_int_equal(choice.mode_number, 1); /* the first of two equal ones */
    assert_int_equal(choice.size.width_pixels, 1024);
    assert_int_equal(choice.size.height_pixels, 768);
}

static void test_G7_an_absent_size_gives_the_nearest(void **state)
{
    (void)state;
    const struct framebuffer_mode modes[] = {mode_of(640, 480), mode_of(1280, 800),
                                             mode_of(1280, 1024), mode_of(1920, 1080)};
    static const uint32_t CASES[][3] = {
        /* width, height, number */
        {1, 1, 0},       {1280, 900, 1}, {1280, 913, 2},    {1366, 768, 1},
        {1920, 1200, 3}, {65535, 1, 3},  {65535, 65535, 3}, {640, 481, 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct screen_choice choice = choose(CASES[i][0], CASES[i][1], modes, 4);
        assert_true(choice.has_mode);
        assert_false(screen_choice_is_exact(&choice));
        assert_int_equal(choice.mode_number, CASES[i][2]);
    }
}

static void test_a_mode_without_a_linear_framebuffer_is_never_taken(void **state)
{
    (void)state;
    struct framebuffer_mode modes[] = {mode_of(800, 600), mode_of(800, 600), mode_of(800, 600),
                                       mode_of(0, 600)};
    modes[0].pixel_format = FRAMEBUFFER_PIXELS_BLT_ONLY;
    modes[1].pixels_per_line = 799;
    modes[2].pixel_format = UINT32_MAX;
    struct screen_choice choice = choose(800, 600, modes, 4);
    assert_false(choice.has_mode);
    assert_false(screen_choice_is_exact(&choice));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_wanted_size_is_taken),
        cmocka_unit_test(test_G7_an_absent_size_gives_the_nearest),
        cmocka_unit_test(test_a_mode_without_a_linear_framebuffer_is_never_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
