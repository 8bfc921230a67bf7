/*
 * The screen of a panic. The tests read its text back, cell by cell, from the pixels.
 */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/screen/panic_layout.h"
#include "shared/text/console_font.h"
#include "tests/unit/support/pixel_formats.h"
#include "tests/unit/support/test_screen.h"

#define BGRX             (&pixel_formats[1])
#define TEXT_LIMIT_BYTES (200 * 200)
#define BAND_ROWS        3

static char text[TEXT_LIMIT_BYTES];

/* Read the title, which has letters of the size `title_scale`, and then all rows below the band. */
static void read_text(const struct test_screen *screen, uint32_t scale, uint32_t title_scale)
{
    uint32_t cell_height = CONSOLE_FONT_HEIGHT_PIXELS * scale;
    text[0] = '\0';
    test_screen_read_row(screen, CONSOLE_FONT_WIDTH_PIXELS * scale,
                         (BAND_ROWS * cell_height - CONSOLE_FONT_HEIGHT_PIXELS * title_scale) / 2,
                         title_scale, text);
    for (uint32_t top = BAND_ROWS * cell_height;
         top + cell_height <= screen->framebuffer.height_pixels; top += cell_height)
        test_screen_read_row(screen, CONSOLE_FONT_WIDTH_PIXELS * scale, top, scale, text);
}

static void draw_and_read(const struct panic_page *page, const struct handoff_framebuffer *format,
                          uint32_t width_pixels, uint32_t height_pixels, uint32_t scale)
{
    struct test_screen screen;
    test_screen_open(&screen, format, width_pixels, height_pixels, 0xa5);
    assert_true(panic_layout_draw(&screen.canvas, page));
    read_text(&screen, scale, 2 * scale);
    for (uint32_t y = 0; y < height_pixels; y++)
        assert_int_equal(*test_screen_pixel(&screen, width_pixels, y), 0xa5);
    free(screen.pixels);
}

static void add(struct panic_page *page, enum panic_part part, const char *line)
{
    panic_page_add(page, part, line, strlen(line));
}

static void add_frames(struct panic_page *page, unsigned count)
{
    char line[64];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(line, sizeof line, "#%u 0xffffffff80001000 main+0x%x main.c:1", i, i);
        add(page, PANIC_PART_BACKTRACE, line);
    }
}

static void fill_page(struct panic_page *page, unsigned frame_count)
{
    static const char log[] = "lost\n[one] a=1\n\n[two] b=2\n[three] c=3\n[four] d=4\n";
    panic_page_add_log(page, log, sizeof log - 1);
    add(page, PANIC_PART_TITLE, "Panic 0x25: null pointer access");
    add(page, PANIC_PART_CAUSE, "write to 0x10: a null pointer");
    add(page, PANIC_PART_CAUSE, "error code 0x2: write in kernel mode");
    add(page, PANIC_PART_REMEDY,
        "a remedy that is so long that one row of a screen of 800 pixels cannot hold three of its "
        "many words");
    for (unsigned i = 0; i < 5; i++)
        add(page, PANIC_PART_REGISTERS, "rax 0000000000000000");
    add(page, PANIC_PART_PLACE, "0xffffffff80009633 null_write+0x4 provoke.c:30");
    add_frames(page, frame_count);
    add(page, PANIC_PART_CODE, "00 <c6> 04");
    add(page, PANIC_PART_MEMORY, "frames free=1");
    add(page, PANIC_PART_MEMORY, "heap used=2");
    add(page, PANIC_PART_BUILD, "build=3");
    add(page, PANIC_PART_END, "halted; press r to restart.");
}

static const char whole_page[] = "Panic 0x25: null pointer access\n"
                                 "\n"
                                 "What happened  write to 0x10: a null pointer\n"
                                 "               error code 0x2: write in kernel mode\n"
                                 "Where          0xffffffff80009633 null_write+0x4 provoke.c:30\n"
                                 "What to try    a remedy that is so long that one row of a screen "
                                 "of 800 pixels cannot hold three\n"
                                 "               of its many words\n"
                                 "\n"
                                 "Backtrace\n"
                                 "#0 0xffffffff80001000 main+0x0 main.c:1\n"
                                 "#1 0xffffffff80001000 main+0x1 main.c:1\n"
                                 "\n"
                                 "Registers\n"
                                 "rax 0000000000000000\n"
                                 "rax 0000000000000000\n"
                                 "rax 0000000000000000\n"
                                 "rax 0000000000000000\n"
                                 "rax 0000000000000000\n"
                                 "\n"
                                 "Code           00 <c6> 04\n"
                                 "Memory         frames free=1\n"
                                 "               heap used=2\n"
                                 "Kernel         build=3\n"
                                 "\n"
                                 "Log before the panic\n"
                                 "[one] a=1\n"
                                 "[two] b=2\n"
                                 "[three] c=3\n"
                                 "[four] d=4\n"
                                 "\n\n\n\n\n"
                                 "halted; press r to restart.\n";

static void test_whole_page_in_every_format(void **state)
{
    (void)state;
    struct panic_page page = {0};
    fill_page(&page, 2);
    for (unsigned i = 0; i < PIXEL_FORMAT_COUNT; i++) {
        draw_and_read(&page, &pixel_formats[i], 800, 600, 1);
        assert_string_equal(text, whole_page);
    }
}

static void expect_text(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_letters_grow_with_the_screen(void **state)
{
    (void)state;
    static const struct {
        uint32_t width_pixels, height_pixels, scale;
    } sizes[] = {{640, 480, 1},   {1024, 768, 1},  {1920, 1080, 1}, {2560, 1440, 2},
                 {3840, 2160, 3}, {1600, 1200, 2}, {3440, 1440, 2}, {7680, 4320, 7}};
    struct panic_page page = {0};
    fill_page(&page, 2);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        draw_and_read(&page, BGRX, sizes[i].width_pixels, sizes[i].height_pixels, sizes[i].scale);
        assert_null(strchr(text, TEST_SCREEN_UNREADABLE));
        expect_text("Panic 0x25: null pointer access\n\nWhat happened  write to 0x10");
        expect_text("\n#1 0xffffffff80001000 main+0x1 main.c:1\n\nRegisters\n");
        expect_text("[four] d=4\n\n");
        expect_text("\nhalted; press r to restart.\n");
    }
}

/* A long backtrace leaves room for all other parts, and for the newest lines of the log. */
static void test_long_backtrace(void **state)
{
    (void)state;
    struct panic_page page = {0};
    fill_page(&page, 32);
    draw_and_read(&page, BGRX, 800, 600, 1);
    expect_text("\n#5 0xffffffff80001000 main+0x5 main.c:1\n"
                "... and 26 more lines on the serial port\n\nRegisters\n");
    expect_text("build=3\n\nLog before the panic\n[two] b=2\n[three] c=3\n[four] d=4\n\nhalted");
    draw_and_read(&page, BGRX, 3840, 2160, 3);
    expect_text("... and 17 more lines on the serial port\n");
}

/* Four rows remain for the log: two lines of two rows, the newest ones. */
static void test_long_lines_of_the_log(void **state)
{
    (void)state;
    struct panic_page page = {0};
    struct test_screen screen;
    char line[61];
    for (char letter = 'a'; letter <= 'c'; letter++) {
        memset(line, letter, sizeof line - 1);
        panic_page_add(&page, PANIC_PART_LOG, line, sizeof line - 1);
    }
    test_screen_open(&screen, BGRX, 320, 208, 0);
    assert_true(panic_layout_draw(&screen.canvas, &page));
    read_text(&screen, 1, 1);
    assert_null(strstr(text, "aaa"));
    expect_text("Log before the panic\nbbb");
    expect_text("\ncccccc");
    free(screen.pixels);
}

/* Beside the room of the QR code, registers stand three in a row, and other texts have more rows. The
 * backtrace gets the rows that remain. */
static void test_text_beside_the_code(void **state)
{
    (void)state;
    static const char *const registers[] = {
        "rax 0000000000000001  rbx 0000000000000002  rcx 0000000000000003  rdx 0000000000000004",
        "r8  0000000000000005  r9  0000000000000006  r10 0000000000000007  r11 0000000000000008",
        "cr0 0000000000000009  cr2 000000000000000a  cr3 000000000000000b  cr4 000000000000000c"};
    struct panic_page page = {0};
    add(&page, PANIC_PART_CAUSE, "a cause");
    add_frames(&page, 20);
    for (size_t i = 0; i < 5; i++)
        add(&page, PANIC_PART_REGISTERS, registers[i < 2 ? i : 2]);
    add(&page, PANIC_PART_MEMORY, "heap size=1 limit=2 used=3 peak=4 and a last word beside");
    for (unsigned i = 0; i < 9; i++)
        add(&page, PANIC_PART_LOG, "[log] a line");
    add(&page, PANIC_PART_LOG,
        "[last] a line that is too long for the columns beside the code, with an end");
    add(&page, PANIC_PART_END, "halted");
    draw_and_read(&page, BGRX, 800, 600, 1);
    assert_null(strchr(text, TEST_SCREEN_UNREADABLE));
    expect_text("\n#9 0xffffffff80001000 main+0x9 main.c:1\n"
                "... and 10 more lines on the serial port\n\nRegisters\n"
                "rax 0000000000000001  rbx 0000000000000002  rcx 0000000000000003\n"
                "rdx 0000000000000004  r8  0000000000000005  r9  0000000000000006\n"
                "r10 0000000000000007  r11 0000000000000008  cr0 0000000000000009\n");
    expect_text(
        "\ncr3 000000000000000b  cr4 000000000000000c\n\n"
        "Memory         heap size=1 limit=2 used=3 peak=4 and a last word\n"
        "               beside\n\n"
        "Log before the panic\n[log] a line\n"
        "[last] a line that is too long for the columns beside the code,\nwith an end\n\nhalted\n");
}

static void test_long_title_has_small_letters(void **state)
{
    (void)state;
    struct panic_page page = {0};
    struct test_screen screen;
    static const char title[] = "Panic 0x31: a name of more than half of the columns";
    add(&page, PANIC_PART_TITLE, title);
    test_screen_open(&screen, BGRX, 800, 600, 0);
    assert_true(panic_layout_draw(&screen.canvas, &page));
    read_text(&screen, 1, 1);
    assert_memory_equal(text, title, strlen(title));
    free(screen.pixels);
}

/* The pixels depend on the page only. */
static void test_framebuffer_is_not_read(void **state)
{
    (void)state;
    struct panic_page page = {0};
    struct test_screen first, second;
    fill_page(&page, 32);
    test_screen_open(&first, BGRX, 800, 600, 0x00);
    test_screen_open(&second, BGRX, 800, 600, 0xff);
    assert_true(panic_layout_draw(&first.canvas, &page));
    assert_true(panic_layout_draw(&second.canvas, &page));
    for (uint32_t y = 0; y < 600; y++)
        assert_memory_equal(test_screen_pixel(&first, 0, y), test_screen_pixel(&second, 0, y),
                            800 * 4);
    free(first.pixels);
    free(second.pixels);
}

/* The limits of a screen, and pages of every length on the smallest one: ASan sees each pixel. */
static void test_small_screens(void **state)
{
    (void)state;
    struct test_screen screen;
    struct panic_page page = {0};
    fill_page(&page, 0);
    for (unsigned i = 0; i < 20; i++) {
        test_screen_open(&screen, BGRX, 320, 192, 0x5a);
        assert_true(panic_layout_draw(&screen.canvas, &page));
        read_text(&screen, 1, 1);
        expect_text("\nhalted; press r to restart.\n");
        free(screen.pixels);
        add_frames(&page, 1);
    }
    test_screen_open(&screen, BGRX, 319, 192, 0x5a);
    assert_false(panic_layout_draw(&screen.canvas, &page));
    assert_int_equal(*screen.pixels, 0x5a);
    free(screen.pixels);
    test_screen_open(&screen, BGRX, 320, 191, 0x5a);
    assert_false(panic_layout_draw(&screen.canvas, &page));
    assert_int_equal(*screen.pixels, 0x5a);
    free(screen.pixels);
}

/* Without room for both, the backtrace is more useful than the code. */
static void test_backtrace_comes_before_the_code(void **state)
{
    (void)state;
    struct panic_page page = {0};
    fill_page(&page, 10);
    draw_and_read(&page, BGRX, 800, 600, 1);
    assert_non_null(strstr(text, "\nCode "));
    for (unsigned i = 0; i < 4; i++)
        add(&page, PANIC_PART_REGISTERS, "rax 0000000000000000");
    draw_and_read(&page, BGRX, 640, 480, 1);
    assert_non_null(strstr(text, "\nBacktrace\n#0 0xffffffff80001000 main+0x0 main.c:1\n"
                                 "... and 9 more lines on the serial port\n"));
    assert_null(strstr(text, "\nCode "));
    assert_non_null(strstr(text, "build=3\n"));
}

static void test_empty_page(void **state)
{
    (void)state;
    const struct panic_page page = {0};
    draw_and_read(&page, BGRX, 800, 600, 1);
    assert_int_equal(strspn(text, "\n"), strlen(text));
}

static void test_full_page_ignores_lines(void **state)
{
    (void)state;
    struct panic_page page = {0};
    static const char line[PANIC_PAGE_CAPACITY_BYTES + 1];
    panic_page_add(&page, PANIC_PART_LOG, line, PANIC_PAGE_CAPACITY_BYTES + 1);
    assert_int_equal(page.line_count, 0);
    panic_page_add(&page, PANIC_PART_LOG, line, PANIC_PAGE_CAPACITY_BYTES);
    panic_page_add(&page, PANIC_PART_LOG, line, 1);
    assert_int_equal(page.line_count, 1);
    page = (struct panic_page){0};
    for (unsigned i = 0; i <= PANIC_PAGE_LINE_LIMIT; i++)
        panic_page_add(&page, PANIC_PART_LOG, line, 1);
    assert_int_equal(page.line_count, PANIC_PAGE_LINE_LIMIT);
}

/* The first line of the copy may have lost its beginning. */
static void test_lines_of_a_log(void **state)
{
    (void)state;
    struct panic_page page = {0};
    panic_page_add_log(&page, "st\nsecond\n\nthird", 16);
    assert_int_equal(page.line_count, 2);
    assert_memory_equal(page.text, "secondthird", 11);
    page = (struct panic_page){0};
    panic_page_add_log(&page, "only", 4);
    panic_page_add_log(&page, "", 0);
    assert_int_equal(page.line_count, 1);
    assert_int_equal(page.lines[0].length, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_page_in_every_format),
        cmocka_unit_test(test_letters_grow_with_the_screen),
        cmocka_unit_test(test_long_backtrace),
        cmocka_unit_test(test_long_lines_of_the_log),
        cmocka_unit_test(test_text_beside_the_code),
        cmocka_unit_test(test_long_title_has_small_letters),
        cmocka_unit_test(test_framebuffer_is_not_read),
        cmocka_unit_test(test_small_screens),
        cmocka_unit_test(test_backtrace_comes_before_the_code),
        cmocka_unit_test(test_empty_page),
        cmocka_unit_test(test_full_page_ignores_lines),
        cmocka_unit_test(test_lines_of_a_log),
    };
    return cmocka_run_group_tests_name("panic_layout", tests, test_screen_make_font, NULL);
}
