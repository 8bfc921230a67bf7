/*
 * test_error.c - the loader's errors: every number has its sentences, and the report has all of
 * them.
 */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/pure/error.h"

#define ERROR_BIT ERROR_STATUS_ERROR_BIT

/* Call `check` for every number that is in use. */
static void for_every_error(void (*check)(enum loader_error error))
{
    for (unsigned error = 1; error < ERROR_NUMBER_LIMIT; error++)
        if (error_cause(error) != NULL)
            check((enum loader_error)error);
}

static struct loader_failure failure_of(enum loader_error error, uint64_t status)
{
    assert_int_equal(error_set(error, status, "%s: %u bytes", "file", 7), error);
    return last_failure;
}

static void check_report(enum loader_error error)
{
    struct loader_failure failure = failure_of(error, 0);
    char report[800];
    char head[16];
    error_format_report(&failure, report, sizeof(report));
    snprintf(head, sizeof(head), "\nHL-%02d: ", (int)error);
    assert_int_equal(strncmp(report, head, strlen(head)), 0);
    assert_non_null(strstr(report, ".\n  what:   file: 7 bytes\n  remedy: "));
    assert_string_equal(report + strlen(report) - 2, ".\n");
    assert_null(strstr(report, "(null)"));
    assert_null(strstr(report, "(firmware: "));
}

static void test_every_error_is_reported_with_cause_detail_and_remedy(void **state)
{
    (void)state;
    for_every_error(check_report);
}

static void test_a_number_without_an_error_has_no_sentences(void **state)
{
    (void)state;
    assert_non_null(error_cause(LOADER_ERROR_NETWORK_START));
    assert_null(error_cause(LOADER_OK));
    assert_null(error_remedy(LOADER_OK));
    assert_null(error_cause(ERROR_NUMBER_LIMIT - 1));
    assert_null(error_remedy(UINT32_MAX));
}

static void test_the_firmware_s_status_is_named(void **state)
{
    (void)state;
    struct loader_failure failure = failure_of(LOADER_ERROR_FILE_READ, ERROR_BIT | 7);
    char report[800];
    error_format_report(&failure, report, sizeof(report));
    assert_non_null(strstr(report, "file: 7 bytes (firmware: device error, 8000000000000007)\n"));
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char long_text[2 * ERROR_DETAIL_CAPACITY];
    char report[20];
    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    error_set(LOADER_ERROR_CONFIG, 0, "%s", long_text);
    assert_int_equal(strlen(last_failure.detail), ERROR_DETAIL_CAPACITY - 1);
    error_format_report(&last_failure, report, sizeof(report));
    assert_int_equal(strlen(report), sizeof(report) - 1);
}

static void check_exit_status(enum loader_error error)
{
    struct loader_failure failure = failure_of(error, 0);
    assert_true(error_exit_status(&failure) > ERROR_BIT);
    failure.status = ERROR_BIT | 5;
    assert_int_equal(error_exit_status(&failure), ERROR_BIT | 5);
}

/* UEFI 2.10, table D-3. */
static void test_exit_status(void **state)
{
    (void)state;
    static const struct {
        enum loader_error error;
        uint64_t number;
    } EXPECTED[] = {
        {LOADER_ERROR_NO_LOADED_IMAGE, 3}, {LOADER_ERROR_NO_VOLUME, 12},
        {LOADER_ERROR_CONFIG, 2},          {LOADER_ERROR_FILE_NOT_FOUND, 14},
        {LOADER_ERROR_FILE_TOO_LARGE, 4},  {LOADER_ERROR_FILE_SHORT, 31},
        {LOADER_ERROR_KERNEL_INVALID, 1},  {LOADER_ERROR_OUT_OF_MEMORY, 9},
        {LOADER_ERROR_BAD_ALLOCATION, 21}, {LOADER_ERROR_BAD_LOADER_IMAGE, 33},
    };
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++) {
        struct loader_failure failure = failure_of(EXPECTED[i].error, 0);
        assert_int_equal(error_exit_status(&failure), ERROR_BIT | EXPECTED[i].number);
    }
    for_every_error(check_exit_status);
}

static void test_names_of_statuses(void **state)
{
    (void)state;
    assert_string_equal(error_status_name(0), "success");
    assert_string_equal(error_status_name(ERROR_BIT | 1), "load error");
    assert_string_equal(error_status_name(ERROR_BIT | 15), "access denied");
    assert_string_equal(error_status_name(ERROR_BIT | 16), "unknown status");
    assert_string_equal(error_status_name(1), "unknown status"); /* a warning */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_is_reported_with_cause_detail_and_remedy),
        cmocka_unit_test(test_a_number_without_an_error_has_no_sentences),
        cmocka_unit_test(test_the_firmware_s_status_is_named),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_names_of_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
