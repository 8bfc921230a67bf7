/*
 * The overview. The tests read its text back, cell by cell, and look at the pixels of its bars.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/screen/overview_map.h"
#include "kernel/screen/overview_page.h"
#include "kernel/screen/overview_text.h"
#include "shared/text/console_font.h"
#include "shared/text/pixel_format.h"
#include "tests/unit/support/overview_sample.h"
#include "tests/unit/support/pixel_formats.h"
#include "tests/unit/support/test_screen.h"

#define BGRX             (&pixel_formats[1])
#define TEXT_LIMIT_BYTES (200 * 200)
#define BAND_ROWS        2

static char text[TEXT_LIMIT_BYTES];
static struct overview overview;

static void draw(struct test_screen *screen, const struct handoff_framebuffer *format,
                 uint32_t width_pixels, uint32_t height_pixels)
{
    test_screen_open(screen, format, width_pixels, height_pixels, 0xa5);
    assert_true(overview_page_draw(&screen->canvas, &overview));
    for (uint32_t y = 0; y < height_pixels; y++)
        assert_int_equal(*test_screen_pixel(screen, width_pixels, y), 0xa5);
}

/* Draw, and read the text of all rows below the band. */
static void draw_and_read(const struct handoff_framebuffer *format, uint32_t width_pixels,
                          uint32_t height_pixels, uint32_t scale)
{
    struct test_screen screen;
    uint32_t cell_height = CONSOLE_FONT_HEIGHT_PIXELS * scale;
    draw(&screen, format, width_pixels, height_pixels);
    text[0] = '\0';
    for (uint32_t top = BAND_ROWS * cell_height; top + cell_height <= height_pixels;
         top += cell_height)
        test_screen_read_row(&screen, OVERVIEW_MARGIN_COLUMNS * CONSOLE_FONT_WIDTH_PIXELS * scale,
                             top, scale, text);
    free(screen.pixels);
}

static void expect(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* The texts that each screen has, whatever its size is. */
static void expect_common_text(void)
{
    expect("\nRAM 511 MiB   CPU QEMU Virtual CPU version 2.5+, 2595 MHz\nFirmware UEFI, ACPI, "
           "SMBIOS  ");
    expect(
        "Loader handoff-loader 0.1.0\n\nPhysical memory  all RAM by address, up to 0x20000000; ");
    expect(" free       505 MiB ");
    expect(" early heap 36 KiB ");
    expect(" low memory 640 KiB\n");
    expect(" kernel     1.5 MiB ");
    expect(" not usable none\n");
    expect("\n\nHeaps  permanent heap: policy fast, peak 367 KiB\nEarly ");
    expect(" used 35 KiB ");
    expect("retired, rest freed\nPermanent ");
    expect(" limit 112 MiB\n\nBoot  53.0 ms  ");
    expect(" loader 20.4 ms  ");
    expect(" kernel 32.5 ms\n");
    expect("\nkernel: self-test          12.7 ms  ");
    expect("log and back");
    expect("prompt: help lists the commands\n");
}

static void test_every_pixel_format(void **state)
{
    (void)state;
    overview_sample(&overview);
    for (unsigned i = 0; i < PIXEL_FORMAT_COUNT; i++) {
        draw_and_read(&pixel_formats[i], 800, 600, 1);
        expect_common_text();
        expect("\n4 shorter phases            2.2 ms\n");
    }
}

static void test_letters_grow_with_the_screen(void **state)
{
    (void)state;
    static const struct {
        uint32_t width_pixels, height_pixels, scale;
    } sizes[] = {{640, 480, 1},   {1024, 768, 1},  {1280, 800, 1},  {1600, 1200, 2},
                 {1920, 1080, 2}, {2560, 1440, 3}, {3840, 2160, 4}, {7680, 4320, 9}};
    overview_sample(&overview);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        draw_and_read(BGRX, sizes[i].width_pixels, sizes[i].height_pixels, sizes[i].scale);
        expect_common_text();
    }
}

/* Where not all phases have a row, the longest of them stay, in order of time. */
static void test_phases(void **state)
{
    (void)state;
    overview_sample(&overview);
    draw_and_read(BGRX, 640, 480, 1);
    expect("\nread kernel                 3.9 ms");
    expect("\nexit boot services          4.8 ms");
    expect("\n10 shorter phases          11.9 ms\n");
    assert_null(strstr(text, "kernel: frames"));
    draw_and_read(BGRX, 1024, 768, 1);
    expect("\nkernel: frames              940 us");
    assert_null(strstr(text, "shorter"));
    overview.phase_count = 9;
    draw_and_read(BGRX, 640, 480, 1);
    expect("\n2 shorter phases");
    overview.total_us = 0;
    draw_and_read(BGRX, 640, 480, 1);
    expect("\nBoot  the frequency of the clock is unknown\n");
    assert_null(strstr(text, "read kernel"));
}

static void test_without_keyboard_and_clock(void **state)
{
    (void)state;
    overview_sample(&overview);
    overview.has_keyboard = false;
    overview.has_acpi = false;
    overview.clock_hz = 0;
    overview.early_heap.is_retired = false;
    overview.early_heap.is_fallback = true;
    draw_and_read(BGRX, 640, 480, 1);
    expect("No PS/2 keyboard answers: type on the serial port. Ctrl-O: log\n");
    expect("CPU QEMU Virtual CPU version 2.5+\nFirmware UEFI, SMBIOS ");
    expect("fallback region\n");
}

static void test_smaller_screens_are_refused(void **state)
{
    (void)state;
    struct test_screen screen;
    overview_sample(&overview);
    for (unsigned i = 0; i < 2; i++) {
        test_screen_open(&screen, BGRX, 640 - i, 479 + i, 0x5a);
        assert_false(overview_page_draw(&screen.canvas, &overview));
        assert_int_equal(*screen.pixels, 0x5a);
        free(screen.pixels);
    }
}

static void test_framebuffer_is_not_read(void **state)
{
    (void)state;
    struct test_screen first, second;
    overview_sample(&overview);
    draw(&first, BGRX, 800, 600);
    test_screen_open(&second, BGRX, 800, 600, 0x00);
    assert_true(overview_page_draw(&second.canvas, &overview));
    for (uint32_t y = 0; y < 600; y++)
        assert_memory_equal(test_screen_pixel(&first, 0, y), test_screen_pixel(&second, 0, y),
                            800 * 4);
    free(first.pixels);
    free(second.pixels);
}

/* --- The bar of the map ------------------------------------------------------------------------- */

/* Write the owner of each pixel of the bar, as many as the bar is wide, and return this number. */
static uint32_t read_bar(uint32_t width_pixels, uint32_t height_pixels, int *owners)
{
    struct test_screen screen;
    struct overview_pen pen;
    struct overview_rows rows;
    draw(&screen, BGRX, width_pixels, height_pixels);
    assert_true(overview_page_measure(&screen.canvas, &pen, &rows));
    uint32_t left = OVERVIEW_MARGIN_COLUMNS * CONSOLE_FONT_WIDTH_PIXELS * pen.scale;
    uint32_t top = (rows.map + 2) * CONSOLE_FONT_HEIGHT_PIXELS * pen.scale;
    uint32_t width = (pen.columns * CONSOLE_FONT_WIDTH_PIXELS) * pen.scale - 2 * left;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t value;
        memcpy(&value, test_screen_pixel(&screen, left + x, top), sizeof value);
        owners[x] = -1;
        for (int i = 0; i < OVERVIEW_OWNER_COUNT; i++) {
            if (value == pixel_format_value(BGRX, overview_owner_rgb((enum overview_owner)i)))
                owners[x] = i;
        }
    }
    free(screen.pixels);
    return width;
}

/* The colours of the bar change in the order of the parts, and each part has its pixels. */
static void expect_order(uint32_t width_pixels, uint32_t height_pixels, uint32_t least_pixels)
{
    static int owners[8000];
    uint32_t width = read_bar(width_pixels, height_pixels, owners);
    uint32_t x = 0;
    for (size_t i = 0; i < overview.part_count; i++) {
        uint32_t start = x;
        while (x < width && owners[x] == (int)overview.parts[i].owner)
            x++;
        assert_true(x - start >= least_pixels);
    }
    assert_int_equal(x, width);
}

static void test_each_part_is_in_the_bar(void **state)
{
    (void)state;
    overview_sample(&overview);
    expect_order(640, 480, 2);
    expect_order(800, 600, 2);
    expect_order(3840, 2160, 8);
}

static void test_bar_is_to_scale(void **state)
{
    (void)state;
    static int owners[4000];
    overview = (struct overview){.heap.policy = "", .loader_name = "", .version = ""};
    overview_add_part(&overview, OVERVIEW_FREE, UINT64_C(3) << 40);
    overview_add_part(&overview, OVERVIEW_FIRMWARE, UINT64_C(1) << 40);
    uint32_t width = read_bar(3840, 2160, owners);
    assert_int_equal(owners[0], OVERVIEW_FREE);
    assert_int_equal(owners[width * 3 / 4 - 10], OVERVIEW_FREE);
    assert_int_equal(owners[width * 3 / 4 + 10], OVERVIEW_FIRMWARE);
    assert_int_equal(owners[width - 1], OVERVIEW_FIRMWARE);
}

static void test_many_parts(void **state)
{
    (void)state;
    overview = (struct overview){.heap.policy = "", .loader_name = "", .version = ""};
    for (unsigned i = 0; i < OVERVIEW_PART_LIMIT; i++)
        overview_add_part(&overview, i % 2 == 0 ? OVERVIEW_FREE : OVERVIEW_KERNEL, 4096);
    expect_order(640, 480, 1);
    overview_add_part(&overview, OVERVIEW_FIRMWARE, 4096);
    assert_int_equal(overview.part_count, OVERVIEW_PART_LIMIT);
    assert_int_equal(overview.parts[OVERVIEW_PART_LIMIT - 1].size_bytes, 8192);
    assert_int_equal(overview.owner_bytes[OVERVIEW_FIRMWARE], 4096);
    assert_int_equal(overview.ram_bytes, (OVERVIEW_PART_LIMIT + 1) * 4096);
}

static void test_parts_of_one_owner_join(void **state)
{
    (void)state;
    overview = (struct overview){.part_count = 0};
    overview_add_part(&overview, OVERVIEW_FREE, 4096);
    overview_add_part(&overview, OVERVIEW_KERNEL, 0);
    overview_add_part(&overview, OVERVIEW_FREE, 8192);
    assert_int_equal(overview.part_count, 1);
    assert_int_equal(overview.parts[0].size_bytes, 12288);
}

/* --- The bars of the heaps ------------------------------------------------------------------------ */

#define HEAP_BAR_COLUMN 14

/* Write the lengths of the colours in the bar of a heap, and return their number. */
static unsigned read_heap_bar(unsigned index, uint32_t lengths[8])
{
    struct test_screen screen;
    struct overview_pen pen;
    struct overview_rows rows;
    unsigned count = 0;
    draw(&screen, BGRX, 640, 480);
    assert_true(overview_page_measure(&screen.canvas, &pen, &rows));
    uint32_t y = (rows.heaps + 1 + 2 * index) * CONSOLE_FONT_HEIGHT_PIXELS + 8;
    const uint8_t *before = NULL;
    for (uint32_t x = HEAP_BAR_COLUMN * CONSOLE_FONT_WIDTH_PIXELS; x < 640 - 16; x++) {
        const uint8_t *pixel = test_screen_pixel(&screen, x, y);
        if (before == NULL || memcmp(pixel, before, 4) != 0) {
            assert_true(count < 8);
            lengths[count++] = 0;
        }
        lengths[count - 1]++;
        before = pixel;
    }
    free(screen.pixels);
    return count;
}

/* The bar has 512 pixels. A level that is no higher than the one before has none. */
static void test_levels_of_a_heap(void **state)
{
    (void)state;
    uint32_t lengths[8];
    overview_sample(&overview);
    overview.heap = (struct overview_heap){"fast", 1, 0, 64, 128, 512};
    assert_int_equal(read_heap_bar(1, lengths), 4);
    assert_memory_equal(lengths, ((uint32_t[]){2, 62, 64, 384}), 16);
    overview.heap = (struct overview_heap){"fast", 0, 0, 64, 512, 512};
    assert_int_equal(read_heap_bar(1, lengths), 2);
    assert_memory_equal(lengths, ((uint32_t[]){64, 448}), 8);
    overview.early_heap = (struct overview_early_heap){1024, 256, 512, true, false};
    assert_int_equal(read_heap_bar(0, lengths), 3);
    assert_memory_equal(lengths, ((uint32_t[]){128, 128, 256}), 12);
}

/* --- Figures that no sound kernel has ------------------------------------------------------------ */

static void test_hostile_figures(void **state)
{
    (void)state;
    struct test_screen screen;
    memset(&overview, 0xff, sizeof overview);
    overview.part_count = OVERVIEW_PART_LIMIT;
    for (unsigned i = 0; i < OVERVIEW_PART_LIMIT; i++)
        overview.parts[i].owner = i % OVERVIEW_OWNER_COUNT;
    overview.phase_count = OVERVIEW_PHASE_LIMIT;
    for (unsigned i = 0; i < OVERVIEW_PHASE_LIMIT; i++)
        overview.phases[i] = (struct overview_phase){"a name that has \033 and \n and is long",
                                                     UINT64_MAX, UINT64_MAX, i % 2 == 0};
    overview.early_heap = (struct overview_early_heap){1, UINT64_MAX, UINT64_MAX, true, true};
    overview.heap.policy = overview.loader_name = overview.version =
        "a text that is longer than the columns of a screen, with many words that say nothing at "
        "all to anybody who reads them, on any screen of this size";
    memset(overview.cpu_name, '~', sizeof overview.cpu_name - 1);
    overview.cpu_name[sizeof overview.cpu_name - 1] = '\0';
    overview.build[0] = '\0';
    overview.has_acpi = overview.has_smbios = overview.has_keyboard = true;
    draw(&screen, BGRX, 640, 480);
    free(screen.pixels);
    draw(&screen, &pixel_formats[4], 3840, 2160);
    free(screen.pixels);
}

static void test_empty_figures(void **state)
{
    (void)state;
    overview = (struct overview){.heap.policy = "", .loader_name = "", .version = ""};
    draw_and_read(BGRX, 640, 480, 1);
    expect("\nRAM 0 bytes ");
    expect(" free       none ");
}

/* --- Texts --------------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0 bytes"},           {1023, "1023 bytes"}, {1024, "1 KiB"},
                 {1536, "1.5 KiB"},        {10239, "9.9 KiB"},   {10240, "10 KiB"},
                 {1048575, "1023 KiB"},    {1048576, "1 MiB"},   {UINT64_C(3) << 39, "1.5 TiB"},
                 {UINT64_MAX, "16383 PiB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_string_equal(overview_size(sizes[i].bytes).text, sizes[i].text);
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        uint64_t microseconds;
        const char *text;
    } times[] = {{0, "0 us"},
                 {999, "999 us"},
                 {1000, "1.0 ms"},
                 {24390, "24.3 ms"},
                 {99999, "99.9 ms"},
                 {100000, "100 ms"},
                 {999999, "999 ms"},
                 {1000000, "1.0 s"},
                 {61500000, "61.5 s"},
                 {100000000, "100 s"},
                 {UINT64_MAX, "18446744073709 s"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_string_equal(overview_time(times[i].microseconds).text, times[i].text);
}

static void test_shares(void **state)
{
    (void)state;
    assert_int_equal(overview_pen_share(1000, 0, 0), 0);
    assert_int_equal(overview_pen_share(1000, 1, 0), 1000);
    assert_int_equal(overview_pen_share(1000, 333, 1000), 333);
    assert_int_equal(overview_pen_share(1000, 2, 1), 1000);
    assert_int_equal(overview_pen_share(4000, UINT64_C(1) << 62, UINT64_C(1) << 63), 2000);
    assert_int_equal(overview_pen_share(4000, UINT64_MAX, UINT64_MAX), 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pixel_format),
        cmocka_unit_test(test_letters_grow_with_the_screen),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_without_keyboard_and_clock),
        cmocka_unit_test(test_smaller_screens_are_refused),
        cmocka_unit_test(test_framebuffer_is_not_read),
        cmocka_unit_test(test_each_part_is_in_the_bar),
        cmocka_unit_test(test_bar_is_to_scale),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_parts_of_one_owner_join),
        cmocka_unit_test(test_levels_of_a_heap),
        cmocka_unit_test(test_hostile_figures),
        cmocka_unit_test(test_empty_figures),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests_name("overview", tests, test_screen_make_font, NULL);
}
