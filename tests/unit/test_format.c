#include "tests/unit/support/cmocka.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "shared/text/format.h"

/* The C library is the reference for the formats that both have. */
#define assert_same_as_printf(...)                                                                 \
    do {                                                                                           \
        char expected[256];                                                                        \
        char actual[256];                                                                          \
        int expected_length = snprintf(expected, sizeof(expected), __VA_ARGS__);                   \
        int actual_length = format_text(actual, sizeof(actual), __VA_ARGS__);                      \
        assert_string_equal(actual, expected);                                                     \
        assert_int_equal(actual_length, expected_length);                                          \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    assert_same_as_printf("%d %i %u %x", 0, -1, 42u, 0xbeefu);
    assert_same_as_printf("%d %d %u %x", INT_MIN, INT_MAX, UINT_MAX, UINT_MAX);
    assert_same_as_printf("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
    assert_same_as_printf("%lld %lld %llu %llx", LLONG_MIN, LLONG_MAX, ULLONG_MAX, ULLONG_MAX);
    assert_same_as_printf("%zu %zx %zu", (size_t)0, SIZE_MAX, SIZE_MAX);
    assert_same_as_printf("%hd %hu %hx", (short)-3, (unsigned short)65535, (unsigned short)0xabcd);
}

static void test_width_and_flags(void **state)
{
    (void)state;
    assert_same_as_printf("[%5d] [%-5d] [%05d]", 42, 42, 42);
    assert_same_as_printf("[%5d] [%-5d] [%05d]", -42, -42, -42);
    assert_same_as_printf("[%2x] [%08x] [%-8x]", 0x12345u, 0x12345u, 0x12345u);
    assert_same_as_printf("[%*d] [%-*d] [%*d]", 6, 42, 6, 42, -6, 42);
    assert_same_as_printf("[%016llx]", 0xffff800000000000ULL);
    assert_same_as_printf("[%8s] [%-8s] [%s]", "abc", "abc", "abc");
    assert_same_as_printf("[%3c] [%-3c] [%c]", 'x', 'y', 'z');
}

static void test_precision_of_strings(void **state)
{
    (void)state;
    static const char UNTERMINATED[3] = {'a', 'b', 'c'};
    assert_same_as_printf("[%.2s] [%.0s] [%.9s] [%6.2s] [%-6.2s]", "abc", "abc", "abc", "abc",
                          "abc");
    assert_same_as_printf("[%.*s] [%.*s]", 3, UNTERMINATED, 1, UNTERMINATED);
}

static void test_pointer_null_and_percent(void **state)
{
    (void)state;
    char buffer[64];
    const char *null = NULL;
    format_text(buffer, sizeof(buffer), "%p %s %%", (void *)0x1234abcd, null);
    assert_string_equal(buffer, "0x1234abcd (null) %");
}

static int format_foreign(char *buffer, size_t capacity_bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
    int length = format_text_v(buffer, capacity_bytes, format, arguments);
#pragma clang diagnostic pop
    va_end(arguments);
    return length;
}

static void test_unknown_conversion_is_copied(void **state)
{
    (void)state;
    char buffer[64];
    format_foreign(buffer, sizeof(buffer), "a %q b %5.3y c %", 0);
    assert_string_equal(buffer, "a %q b %5.3y c %");
    format_foreign(buffer, sizeof(buffer), "%-08l", 0);
    assert_string_equal(buffer, "%-08l");
}

static void test_truncation_at_every_capacity(void **state)
{
    (void)state;
    const char *whole = "value=-42 name=kernel";
    for (size_t capacity = 0; capacity <= 24; capacity++) {
        char buffer[32];
        memset(buffer, '#', sizeof(buffer));
        int length = format_text(buffer, capacity, "value=%d name=%s", -42, "kernel");
        assert_int_equal(length, strlen(whole));
        if (capacity > 0) {
            size_t kept = capacity - 1 < strlen(whole) ? capacity - 1 : strlen(whole);
            assert_memory_equal(buffer, whole, kept);
            assert_int_equal(buffer[kept], '\0');
        }
        assert_int_equal(buffer[capacity], '#');
    }
    assert_int_equal(format_text(NULL, 0, "%s", "abc"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_width_and_flags),
        cmocka_unit_test(test_precision_of_strings),
        cmocka_unit_test(test_pointer_null_and_percent),
        cmocka_unit_test(test_unknown_conversion_is_copied),
        cmocka_unit_test(test_truncation_at_every_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
