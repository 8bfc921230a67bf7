/* Colours of the log's lines on a terminal. */
#include <string.h>

#include "kernel/core/log_colour.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/random.h"

#define CAPACITY_BYTES 8192

static char written[CAPACITY_BYTES];
static size_t written_bytes;
static struct log_colour colour;

static void collect(void *context, const char *text, size_t length_bytes)
{
    assert_ptr_equal(context, written);
    assert_true(length_bytes != 0 && written_bytes + length_bytes < sizeof written);
    memcpy(written + written_bytes, text, length_bytes);
    written_bytes += length_bytes;
    written[written_bytes] = '\0';
}

static int clear(void **state)
{
    (void)state;
    colour = (struct log_colour){0};
    written_bytes = 0;
    written[0] = '\0';
    return 0;
}

static void write(const char *text)
{
    log_colour_write(&colour, text, strlen(text), collect, written);
}

static void test_stage_is_cyan(void **state)
{
    (void)state;
    write("[frames] total=1\n");
    assert_string_equal(written, "\033[36m[frames]\033[0m total=1\n");
}

static void test_warning_is_yellow(void **state)
{
    (void)state;
    write("[heap] warning: too small\n[loader] warning: x\n");
    assert_string_equal(written, "\033[36m[heap]\033[33m warning: too small\033[0m\n"
                                 "\033[36m[loader]\033[33m warning: x\033[0m\n");
}

static void test_panic_is_red_to_the_end_of_its_line(void **state)
{
    (void)state;
    write("[panic] cause=");
    write("\"x\"");
    write(" code=1\nplain\n");
    assert_string_equal(written, "\033[1;31m[panic] cause=\"x\" code=1\033[0m\nplain\n");
}

static void test_other_text_is_plain(void **state)
{
    (void)state;
    write("handoff> ");
    write("[");
    write("x] y\n\n[no stage] z\n[unclosed\n  [indented] q\n\f");
    assert_string_equal(written, "handoff> [x] y\n\n[no stage] z\n[unclosed\n  [indented] q\n\f");
    clear(NULL);
    write("");
    assert_string_equal(written, "");
    write("[ready] a\n");
    assert_string_equal(written, "\033[36m[ready]\033[0m a\n");
}

static size_t without_sequences(char *text)
{
    size_t length = 0;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\033') {
            text[length++] = *from;
            continue;
        }
        while (*from != 'm')
            from++;
    }
    text[length] = '\0';
    return length;
}

/* In whatever pieces a text arrives, nothing is lost, and no colour stays behind a line feed. */
static void test_random_pieces_keep_the_text(void **state)
{
    (void)state;
    static const char letters[] = "[]ab: w\n\n[panic] [x] warning: y";
    struct random random = {.state = 7};
    for (unsigned round = 0; round < 2000; round++) {
        char text[200];
        size_t length = 0;
        clear(NULL);
        for (unsigned part = 0; part < 10; part++) {
            size_t from = length;
            size_t start = random_below(&random, sizeof letters - 1);
            size_t count = random_below(&random, sizeof letters - start);
            memcpy(text + length, letters + start, count < 19 ? count : 19);
            length += count < 19 ? count : 19;
            log_colour_write(&colour, text + from, length - from, collect, written);
        }
        text[length++] = '\n';
        text[length] = '\0';
        write("\n");
        assert_false(colour.is_coloured || colour.is_within_line);
        assert_int_equal(without_sequences(written), length);
        assert_string_equal(written, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_stage_is_cyan, clear),
        cmocka_unit_test_setup(test_warning_is_yellow, clear),
        cmocka_unit_test_setup(test_panic_is_red_to_the_end_of_its_line, clear),
        cmocka_unit_test_setup(test_other_text_is_plain, clear),
        cmocka_unit_test_setup(test_random_pieces_keep_the_text, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
