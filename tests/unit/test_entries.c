#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/entries.h"

#define PATH "\\handoff.conf"

static struct entry_list list;
static struct config globals;
static struct config scratch;

/* The text is an exact copy, so that ASan finds a read past its end. It lives until the next call. */
static struct piece copy_of(const char *text)
{
    static char *copies[2 * ENTRY_LIMIT];
    static unsigned next;
    size_t length = strlen(text);
    free(copies[next]);
    copies[next] = malloc(length > 0 ? length : 1);
    assert_non_null(copies[next]);
    memcpy(copies[next], text, length);
    struct piece piece = {copies[next], length};
    next = (next + 1) % (2 * ENTRY_LIMIT);
    return piece;
}

static enum config_status begin(const char *text, struct config_wrong *ret_wrong)
{
    memset(&list, 0x77, sizeof(list));
    return entries_begin(copy_of(text), &list, &globals, &scratch, ret_wrong);
}

static void begin_good(const char *text)
{
    struct config_wrong wrong;
    assert_int_equal(begin(text, &wrong), CONFIG_OK);
}

static void add_file(const char *name, const char *text)
{
    struct entry *entry = entries_add_file(&list, name);
    assert_non_null(entry);
    entry->text = copy_of(text);
    entry_read_text(&list, entry);
}

static struct config config_of(const char *id)
{
    struct entry *entry = entries_find(&list, id);
    assert_non_null(entry);
    assert_int_equal(entry->status, CONFIG_OK);
    assert_int_equal(entry_configure(&list, entry), CONFIG_OK);
    return scratch;
}

static void assert_broken(unsigned index, enum config_status status, const char *sentence)
{
    char text[300];
    const struct entry *entry = &list.entries[index];
    assert_int_equal(entry->status, status);
    assert_false(entry_is_good(entry));
    entry_describe_error(entry, PATH, text, sizeof(text));
    assert_string_equal(text, sentence);
}

static void test_CM1_without_an_entry_the_global_lines_are_one(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"", "cmdline = a b\n", "\xef\xbb\xbf# entry = a\n"};
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        begin_good(TEXTS[i]);
        assert_int_equal(list.count, 0);
        entries_finish(&list);
        assert_true(list.is_single);
        assert_int_equal(list.count, 1);
        struct config config = config_of("default");
        assert_string_equal(config.kernel_path, "\\kernel.elf");
        assert_string_equal(config.command_line, i == 1 ? "a b" : "");
    }
    begin_good("title = My kernel\nefi = a.efi");
    entries_finish(&list);
    assert_string_equal(list.entries[0].title, "My kernel");
    assert_string_equal(config_of("default").efi_path, "\\a.efi");
}

static void test_an_entry_inherits_and_overrides(void **state)
{
    (void)state;
    begin_good("kernel = k.elf\ncmdline = global\ntemp_heap = 2M\ntitle = All\n"
               "entry = one\n"
               "\r\n  entry\t=  two  \r\ncmdline = own\r\ntitle = Two\r\n"
               "entry=three\nefi = t.efi");
    assert_int_equal(list.count, 3);
    entries_finish(&list);
    assert_false(list.is_single);
    assert_int_equal(list.count, 3);
    struct config one = config_of("one");
    struct config two = config_of("two");
    assert_string_equal(one.command_line, "global");
    assert_string_equal(two.command_line, "own");
    assert_string_equal(two.kernel_path, "\\k.elf");
    assert_int_equal(two.temp_heaps.list[0].size_bytes, 2 << 20);
    assert_string_equal(list.entries[0].title, "one");
    assert_string_equal(list.entries[1].title, "Two");
    assert_string_equal(config_of("three").efi_path, "\\t.efi");
    assert_string_equal(two.efi_path, "");
}

static void test_a_kernel_replaces_a_global_efi(void **state)
{
    (void)state;
    begin_good("efi = a.efi\nentry = k\nkernel = k.elf\nentry = e\n");
    assert_string_equal(config_of("k").efi_path, "");
    assert_string_equal(config_of("e").efi_path, "\\a.efi");
}

static void test_a_broken_entry_hides_no_other_one(void **state)
{
    (void)state;
    begin_good("cmdline = c\n"
               "entry = a\ntitle = Title\ntemp_heap = x\n"
               "entry = b/c\n"
               "entry = good\n"
               "entry = good\ncmdline = d\n"
               "entry = t\ntimeout = 5\n"
               "entry = e\n\nno key\n"
               "entry =");
    assert_int_equal(list.count, 7);
    assert_broken(0, CONFIG_BAD_NUMBER,
                  PATH ", line 4, key temp_heap: "
                       "The value is not a number such as 1048576, 0x100000 or 1M.");
    assert_string_equal(list.entries[0].title, "Title");
    assert_broken(1, CONFIG_BAD_ID,
                  PATH ", line 5, key entry: "
                       "An ID has 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-'.");
    assert_string_equal(list.entries[1].title, "(no ID)");
    assert_int_equal(list.entries[2].status, CONFIG_OK);
    assert_broken(3, CONFIG_DUPLICATE_ID,
                  PATH ", line 7, key entry: An entry before this one has the same ID.");
    assert_broken(4, CONFIG_GLOBAL_KEY,
                  PATH ", line 10, key timeout: This key stands only before the first entry.");
    assert_broken(5, CONFIG_NO_EQUALS_SIGN,
                  PATH ", line 13: The line is not of the form key = value.");
    assert_int_equal(list.entries[6].status, CONFIG_BAD_ID);
    assert_ptr_equal(entries_first_good(&list), &list.entries[2]);
    assert_string_equal(config_of("good").command_line, "c");
}

static void test_an_error_in_the_global_lines(void **state)
{
    (void)state;
    struct config_wrong wrong;
    assert_int_equal(begin("\ntimeout = x\nentry = a\n", &wrong), CONFIG_BAD_TIMEOUT);
    assert_int_equal(wrong.line, 2);
    assert_string_equal(wrong.key, "timeout");
    assert_int_equal(list.count, 0);
}

static void test_CF9_a_large_file(void **state)
{
    (void)state;
    struct config_wrong wrong;
    struct piece text = {"", CONFIG_FILE_LIMIT_BYTES + 1};
    assert_int_equal(entries_begin(text, &list, &globals, &scratch, &wrong), CONFIG_FILE_TOO_LARGE);
    assert_int_equal(wrong.line, 0);
}

static void test_unknown_keys_are_counted_for_each_entry(void **state)
{
    (void)state;
    begin_good("x = 1\nentry = a\ny = 1\nz = 2\nentry = b\n");
    assert_int_equal(globals.unknown_key_count, 1);
    assert_int_equal(config_of("a").unknown_key_count, 2);
    assert_int_equal(config_of("a").first_unknown_line, 3);
    assert_int_equal(config_of("b").unknown_key_count, 0);
}

static void test_files_are_sorted_behind_handoff_conf(void **state)
{
    (void)state;
    begin_good("entry = zz\nentry = b\n");
    add_file("m.conf", "title = M\n");
    add_file("z.conf", "");
    add_file("a.conf", "\xef\xbb\xbf"
                       "cmdline = x");
    add_file("ab.conf", "");
    add_file("B.conf", "");
    static const char *const ORDER[] = {"zz", "b", "B", "a", "ab", "m", "z"};
    assert_int_equal(list.count, 7);
    for (unsigned i = 0; i < 7; i++) {
        assert_string_equal(list.entries[i].id, ORDER[i]);
        assert_int_equal(list.entries[i].status, CONFIG_OK);
    }
    assert_string_equal(config_of("a").command_line, "x");
    assert_string_equal(list.entries[5].title, "M");
    assert_string_equal(list.entries[5].file_name, "m.conf");
}

static void test_errors_in_files(void **state)
{
    (void)state;
    begin_good("entry = a\n");
    add_file("a.conf", "");
    add_file("b.conf", "title = x\nserial = COM9\n");
    add_file("c.conf", "entry = c\ndefault = a\n");
    assert_broken(1, CONFIG_DUPLICATE_ID,
                  "\\handoff\\entries\\a.conf: An entry before this one has the same ID.");
    assert_broken(
        2, CONFIG_BAD_SERIAL_PORT,
        "\\handoff\\entries\\b.conf, line 2, key serial: The serial port is not COM1, COM2, "
        "COM3, COM4, off, or a number from 0x100 to 0xfff8.");
    assert_int_equal(list.entries[3].status, CONFIG_GLOBAL_KEY);
    struct entry *large = entries_add_file(&list, "d.conf");
    large->text.length = CONFIG_FILE_LIMIT_BYTES + 1;
    entry_read_text(&list, large);
    assert_broken(4, CONFIG_FILE_TOO_LARGE,
                  "\\handoff\\entries\\d.conf: The file is larger than 64 KiB.");
}

static void test_names_of_files(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",         ".conf",   "a",        "a.con",
                                      "a b.conf", "a.conf2", "\xff.conf"};
    char name[ENTRY_FILE_NAME_CAPACITY + 8];
    begin_good("");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_null(entries_add_file(&list, BAD[i]));
    memset(name, 'n', sizeof(name));
    memcpy(name + 64, ".conf", 6);
    assert_null(entries_add_file(&list, name));
    assert_int_equal(list.count, 0);
    memcpy(name + 63, ".conf", 6);
    assert_non_null(entries_add_file(&list, name));
    assert_int_equal(strlen(list.entries[0].id), 63);
}

static void test_CM4_two_hundred_entries_and_too_many(void **state)
{
    (void)state;
    static char text[ENTRY_LIMIT * 16];
    size_t length = 0;
    for (unsigned i = 0; i < 150; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "entry = c%u\n", i);
    begin_good(text);
    for (unsigned i = 0; i < 50; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "f%02u.conf", 49 - i);
        add_file(name, "kernel = x\n");
    }
    entries_finish(&list);
    assert_int_equal(list.count, 200);
    assert_string_equal(list.entries[149].id, "c149");
    for (unsigned i = 150; i < 200; i++)
        assert_int_equal(atoi(list.entries[i].id + 1), i - 150);
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "g%02u.conf", i);
        assert_int_equal(entries_add_file(&list, name) != NULL, i < 56);
    }
    assert_int_equal(list.count, ENTRY_LIMIT);
    assert_int_equal(list.left_out_count, 4);
}

static void test_more_entries_than_the_limit_in_one_file(void **state)
{
    (void)state;
    static char text[300 * 16];
    size_t length = 0;
    for (unsigned i = 0; i < 300; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "entry = c%u\n", i);
    begin_good(text);
    assert_int_equal(list.count, ENTRY_LIMIT);
    assert_int_equal(list.left_out_count, 44);
    assert_string_equal(list.entries[ENTRY_LIMIT - 1].id, "c255");
}

static void test_the_first_good_entry(void **state)
{
    (void)state;
    begin_good("entry = a\nserial = x\nentry = b\nentry = c\nentry = d\n");
    list.entries[1].error = LOADER_ERROR_FILE_NOT_FOUND;
    list.entries[2].has_no_tries = true;
    assert_ptr_equal(entries_first_good(&list), &list.entries[3]);
    list.entries[3].error = LOADER_ERROR_FILE_NOT_FOUND;
    assert_ptr_equal(entries_first_good(&list), &list.entries[2]);
    list.entries[2].error = LOADER_ERROR_FILE_NOT_FOUND;
    assert_null(entries_first_good(&list));
}

static void test_CM3_all_entries_are_broken(void **state)
{
    (void)state;
    begin_good("entry = a\nserial = x\nentry = b\nkernel =\n");
    entries_finish(&list);
    assert_int_equal(list.count, 2);
    assert_null(entries_first_good(&list));
}

/* The first module of an entry replaces those before the first entry. A module's keys need a module
 * of the same entry. */
static void test_N2_modules_of_an_entry_replace_the_global_ones(void **state)
{
    (void)state;
    begin_good("module = a\nmodule = b\nentry = one\nentry = two\nmodule = c\nmodule_name = x\n"
               "entry = three\nmodule_name = x\n");
    entries_finish(&list);
    assert_int_equal(config_of("one").modules.count, 2);
    struct config config = config_of("two");
    assert_int_equal(config.modules.count, 1);
    assert_string_equal(config.modules.texts + config.modules.list[0].path, "\\c");
    assert_string_equal(config.modules.texts + config.modules.list[0].name, "x");
    assert_int_equal(list.entries[2].status, CONFIG_NO_MODULE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_CM1_without_an_entry_the_global_lines_are_one),
        cmocka_unit_test(test_an_entry_inherits_and_overrides),
        cmocka_unit_test(test_N2_modules_of_an_entry_replace_the_global_ones),
        cmocka_unit_test(test_a_kernel_replaces_a_global_efi),
        cmocka_unit_test(test_a_broken_entry_hides_no_other_one),
        cmocka_unit_test(test_an_error_in_the_global_lines),
        cmocka_unit_test(test_CF9_a_large_file),
        cmocka_unit_test(test_unknown_keys_are_counted_for_each_entry),
        cmocka_unit_test(test_files_are_sorted_behind_handoff_conf),
        cmocka_unit_test(test_errors_in_files),
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_CM4_two_hundred_entries_and_too_many),
        cmocka_unit_test(test_more_entries_than_the_limit_in_one_file),
        cmocka_unit_test(test_the_first_good_entry),
        cmocka_unit_test(test_CM3_all_entries_are_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
