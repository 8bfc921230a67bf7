#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/config.h"

/* Parse an exact copy on the heap, so that ASan finds a read past its end. */
static enum config_status parse_bytes(const void *text, size_t size_bytes,
                                      struct config *ret_config, unsigned *ret_line)
{
    char *copy = malloc(size_bytes > 0 ? size_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, text, size_bytes);
    enum config_status status = config_parse(copy, size_bytes, ret_config, ret_line);
    free(copy);
    return status;
}

static struct config parse_good(const char *text)
{
    struct config config;
    unsigned line = 99;
    enum config_status status = parse_bytes(text, strlen(text), &config, &line);
    if (status != CONFIG_OK)
        fail_msg("line %u: %s", line, config_status_text(status));
    assert_int_equal(line, 0);
    return config;
}

static void assert_bytes_refused(const void *text, size_t size_bytes, enum config_status expected,
                                 unsigned expected_line)
{
    struct config config;
    unsigned line = 99;
    enum config_status status = parse_bytes(text, size_bytes, &config, &line);
    if (status != expected)
        fail_msg("%s instead of: %s", config_status_text(status), config_status_text(expected));
    assert_int_equal(line, expected_line);
}

static void assert_refused(const char *text, enum config_status expected, unsigned expected_line)
{
    assert_bytes_refused(text, strlen(text), expected, expected_line);
}

/* The size of the temporary heap, of which there is at most one, without a place. */
static uint64_t only_heap_bytes(const struct config *config)
{
    const struct config_heap *heap = &config->temp_heaps.list[0];
    if (config->temp_heaps.count == 0)
        return 0;
    assert_int_equal(config->temp_heaps.count, 1);
    assert_int_equal(heap->from | heap->below, 0);
    return heap->size_bytes;
}

static uint64_t heap_bytes_of(const char *text)
{
    struct config config = parse_good(text);
    return only_heap_bytes(&config);
}

static void assert_defaults(const struct config *config)
{
    assert_string_equal(config->kernel_path, "\\kernel.elf");
    assert_string_equal(config->command_line, "");
    assert_int_equal(only_heap_bytes(config), 1024 * 1024);
    assert_int_equal(config->modules.count, 0);
    assert_int_equal(config->output_number, 0);
    assert_int_equal(config->resolution, CONFIG_RESOLUTION_KEEP);
    assert_false(config->keeps_record_in_nvram);
}

static void test_CF1_empty_file_means_defaults(void **state)
{
    (void)state;
    static const char *const EMPTY[] = {"",  "\n",   "\r\n\r\n",       "# nothing\n",
                                        " ", "\t\n", "  # kernel = x", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(EMPTY) / sizeof(EMPTY[0]); i++) {
        struct config config = parse_good(EMPTY[i]);
        assert_defaults(&config);
        assert_int_equal(config.unknown_key_count, 0);
        assert_int_equal(config.first_unknown_line, 0);
    }
    struct config config;
    config_set_defaults(&config);
    assert_defaults(&config);
}

static void test_all_keys(void **state)
{
    (void)state;
    struct config config = parse_good("# comment\n"
                                      "kernel = /boot/my kernel.elf\n"
                                      "\n"
                                      "  cmdline=  heap=strict title=\"a b\"  \n"
                                      "\ttemp_heap\t=\t64K\t\n");
    assert_string_equal(config.kernel_path, "\\boot\\my kernel.elf");
    assert_string_equal(config.command_line, "heap=strict title=\"a b\"");
    assert_int_equal(only_heap_bytes(&config), 64 * 1024);
}

static void test_kernel_path_begins_with_a_backslash(void **state)
{
    (void)state;
    assert_string_equal(parse_good("kernel = k.elf").kernel_path, "\\k.elf");
    assert_string_equal(parse_good("kernel = \\k.elf").kernel_path, "\\k.elf");
    assert_string_equal(parse_good("kernel = \"/a b/k\"").kernel_path, "\\a b\\k");
    assert_refused("kernel =\n", CONFIG_EMPTY_VALUE, 1);
    assert_refused("kernel = \"\"\n", CONFIG_EMPTY_VALUE, 1);
    assert_refused("kernel = k\xc3\xa4rnel\n", CONFIG_PATH_NOT_ASCII, 1);
    assert_refused("kernel = a\tb\n", CONFIG_PATH_NOT_ASCII, 1);
}

static void test_start_of_processors(void **state)
{
    (void)state;
    assert_true(parse_good("processors = start").starts_processors);
    assert_false(parse_good("processors = list").starts_processors);
    assert_false(parse_good("").starts_processors);
    assert_refused("processors = 4", CONFIG_BAD_PROCESSORS, 1);
}

static void test_place_of_the_boot_record(void **state)
{
    (void)state;
    assert_true(parse_good("post_mortem = nvram").keeps_record_in_nvram);
    assert_false(parse_good("post_mortem = ram").keeps_record_in_nvram);
    assert_refused("post_mortem = flash", CONFIG_BAD_POST_MORTEM, 1);
    assert_refused("\npost_mortem =", CONFIG_BAD_POST_MORTEM, 2);
    assert_refused("post_mortem=ram\npost_mortem=nvram", CONFIG_DUPLICATE_KEY, 2);
}

static void test_integrity_keys(void **state)
{
    (void)state;
    struct config config = parse_good("");
    assert_false(config.has_kernel_sha256);
    assert_int_equal(config.tpm, TPM_WISH_AUTOMATIC);
    config = parse_good("tpm = demand\nkernel_sha256 = "
                        "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(config.has_kernel_sha256);
    assert_int_equal(config.kernel_sha256.bytes[0], 0xba);
    assert_int_equal(config.kernel_sha256.bytes[31], 0xad);
    assert_int_equal(config.tpm, TPM_WISH_DEMAND);
    assert_refused("kernel_sha256 = ba7816bf", CONFIG_BAD_SHA256, 1);
    assert_refused("\nkernel_sha256 =", CONFIG_BAD_SHA256, 2);
    assert_refused("tpm = yes", CONFIG_BAD_TPM, 1);
    assert_refused("tpm = on\ntpm = off", CONFIG_DUPLICATE_KEY, 2);
}

static void test_kaslr_and_symbols(void **state)
{
    (void)state;
    assert_false(parse_good("").has_fixed_base);
    assert_false(parse_good("kaslr = on").has_fixed_base);
    assert_true(parse_good("kaslr = off").has_fixed_base);
    assert_false(parse_good("").hands_over_symbols);
    assert_false(parse_good("symbols = off").hands_over_symbols);
    assert_true(parse_good("symbols = on").hands_over_symbols);
    assert_refused("kaslr = no", CONFIG_BAD_SWITCH, 1);
    assert_refused("\nsymbols =", CONFIG_BAD_SWITCH, 2);
}

static void test_temp_heap_sizes(void **state)
{
    (void)state;
    assert_int_equal(heap_bytes_of("temp_heap = 0"), 0);
    assert_int_equal(heap_bytes_of("temp_heap = 1"), 4096);
    assert_int_equal(heap_bytes_of("temp_heap = 4097"), 8192);
    assert_int_equal(heap_bytes_of("temp_heap = 0x100000"), 1 << 20);
    assert_int_equal(heap_bytes_of("temp_heap = 16G"), UINT64_C(16) << 30);
    assert_refused("temp_heap = 17179869185", CONFIG_NUMBER_TOO_LARGE, 1);
    assert_refused("temp_heap = 17G", CONFIG_NUMBER_TOO_LARGE, 1);
    assert_refused("temp_heap = 0xffffffffffffffff", CONFIG_NUMBER_TOO_LARGE, 1);
}

static void test_temp_heap_places(void **state)
{
    (void)state;
    struct config config = parse_good("temp_heap = 1M ,4M  below 4G,64K from 0x40000001, 0, 5");
    const struct config_heap *heaps = config.temp_heaps.list;
    assert_int_equal(config.temp_heaps.count, 4);
    assert_int_equal(heaps[0].size_bytes, 1 << 20);
    assert_int_equal(heaps[0].from | heaps[0].below, 0);
    assert_int_equal(heaps[1].size_bytes, 4 << 20);
    assert_int_equal(heaps[1].below, UINT64_C(4) << 30);
    assert_int_equal(heaps[1].from, 0);
    assert_int_equal(heaps[2].size_bytes, 64 << 10);
    assert_int_equal(heaps[2].from, 0x40001000);
    assert_int_equal(heaps[2].below, 0);
    assert_int_equal(heaps[3].size_bytes, 4096);
}

static void test_bad_temp_heap_places(void **state)
{
    (void)state;
    static const char *const BAD[] = {"temp_heap = 1 M",
                                      "temp_heap = 1 # x",
                                      "temp_heap = 1M above 4G",
                                      "temp_heap = 1M below",
                                      "temp_heap = 1M below 0",
                                      "temp_heap = 1M, 1M from",
                                      "temp_heap = 1M from 1G x",
                                      "temp_heap = 1M from -1",
                                      "temp_heap = 1M below 4G from 1G",
                                      "temp_heap = 1M from 4097T",
                                      "temp_heap = 1M from 0x10000000000001"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_refused(BAD[i], CONFIG_BAD_HEAP_PLACE, 1);
    assert_refused("temp_heap = 1M, 17G below 4G", CONFIG_NUMBER_TOO_LARGE, 1);
    assert_int_equal(parse_good("temp_heap=1,1,1,1,1,1,1,1").temp_heaps.count, 8);
    assert_refused("temp_heap=1,1,1,1,1,1,1,1,1", CONFIG_TOO_MANY_HEAPS, 1);
}

/* --- Modules --- */

static const char *module_text(const struct config *config, uint16_t place)
{
    return config->modules.texts + place;
}

#define SHA256_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_modules(void **state)
{
    (void)state;
    struct config config = parse_good("module = boot/initrd.img\n"
                                      "kernel = k\n"
                                      "module_cmdline = \"a  b\"\n"
                                      "module=/data\n"
                                      "module_align = 2M\n"
                                      "module_sha256 = " SHA256_TEXT "\n"
                                      "module_name = my data\n");
    const struct config_module *modules = config.modules.list;
    assert_int_equal(config.modules.count, 2);
    assert_string_equal(module_text(&config, modules[0].path), "\\boot\\initrd.img");
    assert_string_equal(module_text(&config, modules[0].name), "initrd.img");
    assert_string_equal(module_text(&config, modules[0].command_line), "a  b");
    assert_int_equal(modules[0].alignment_bytes, 4096);
    assert_string_equal(module_text(&config, modules[1].path), "\\data");
    assert_string_equal(module_text(&config, modules[1].name), "my data");
    assert_string_equal(module_text(&config, modules[1].command_line), "");
    assert_int_equal(modules[1].alignment_bytes, 2 << 20);
    assert_false(modules[0].has_sha256);
    assert_true(modules[1].has_sha256);
    assert_int_equal(modules[1].sha256.bytes[0], 0x01);
    assert_int_equal(modules[1].sha256.bytes[31], 0xef);
}

static void test_N2_two_modules_of_one_name_are_both_kept(void **state)
{
    (void)state;
    struct config config = parse_good("module = a/x\nmodule = b/x\nmodule = a/x\n");
    const struct config_module *modules = config.modules.list;
    assert_int_equal(config.modules.count, 3);
    assert_string_equal(module_text(&config, modules[0].path), "\\a\\x");
    assert_string_equal(module_text(&config, modules[1].path), "\\b\\x");
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(module_text(&config, modules[i].name), "x");
}

static void test_bad_modules(void **state)
{
    (void)state;
    assert_refused("module =", CONFIG_EMPTY_VALUE, 1);
    assert_refused("module = ../x", CONFIG_PATH_ESCAPES, 1);
    assert_refused("module = \xc3\xa4", CONFIG_PATH_NOT_ASCII, 1);
    assert_refused("module = x\nmodule_name =", CONFIG_EMPTY_VALUE, 2);
    assert_refused("module = x\nmodule_name = a\x1b[2J", CONFIG_PATH_NOT_ASCII, 2);
    assert_refused("module = x\nmodule_sha256 = 12", CONFIG_BAD_SHA256, 2);
    assert_refused("module_sha256 = " SHA256_TEXT, CONFIG_NO_MODULE, 1);
    assert_refused("module = x\nmodule_align = 1M", CONFIG_BAD_ALIGNMENT, 2);
    assert_refused("module = x\nmodule_align = 2Mx", CONFIG_BAD_ALIGNMENT, 2);
    assert_refused("module_align = 4K\nmodule = x", CONFIG_NO_MODULE, 1);
    assert_refused("module_name = x", CONFIG_NO_MODULE, 1);
    assert_refused("module_cmdline = x", CONFIG_NO_MODULE, 1);
    assert_refused("module = x\nmodule_name = a\nmodule_name = a", CONFIG_DUPLICATE_KEY, 3);
}

static void test_module_limits(void **state)
{
    (void)state;
    char text[4096 + 64] = "";
    for (unsigned i = 0; i < CONFIG_MODULE_LIMIT; i++)
        strcat(text, "module = x\n");
    assert_int_equal(parse_good(text).modules.count, CONFIG_MODULE_LIMIT);
    strcat(text, "module = x\n");
    assert_refused(text, CONFIG_TOO_MANY_MODULES, CONFIG_MODULE_LIMIT + 1);
}

/* One byte is for the empty text, and three are for `\x` and its NUL in each of five modules. */
static void test_module_texts_fill_their_room(void **state)
{
    (void)state;
    char text[5 * 1100] = "";
    size_t left = CONFIG_MODULE_TEXT_CAPACITY - 1;
    for (unsigned i = 0; i < 5; i++) {
        size_t words = i < 4 ? 1000 : left - 4;
        strcat(text, "module = x\nmodule_cmdline = ");
        memset(text + strlen(text), 'c', words);
        strcat(text, "\n");
        left -= 3 + words + 1;
    }
    assert_int_equal(left, 0);
    assert_int_equal(parse_good(text).modules.text_size_bytes, CONFIG_MODULE_TEXT_CAPACITY);
    text[strlen(text) - 1] = 'c';
    assert_refused(text, CONFIG_MODULE_TEXTS_TOO_LONG, 10);
}

static void test_serial_ports(void **state)
{
    (void)state;
    assert_int_equal(parse_good("").serial.kind, SERIAL_WISH_AUTOMATIC);
    assert_int_equal(parse_good("serial = off").serial.kind, SERIAL_WISH_OFF);
    assert_int_equal(parse_good("serial = COM3").serial.value, 3);
    assert_int_equal(parse_good("serial = 0x2f8").serial.value, 0x2f8);
    assert_refused("\nserial =", CONFIG_BAD_SERIAL_PORT, 2);
    assert_refused("serial = COM5", CONFIG_BAD_SERIAL_PORT, 1);
    assert_refused("serial = on", CONFIG_BAD_SERIAL_PORT, 1);
    assert_refused("serial = 0x60", CONFIG_BAD_SERIAL_PORT, 1);
    assert_refused("serial = off\nserial = off", CONFIG_DUPLICATE_KEY, 2);
}

static void test_quoted_values(void **state)
{
    (void)state;
    assert_string_equal(parse_good("cmdline = \"  a  b \"").command_line, "  a  b ");
    assert_string_equal(parse_good("cmdline = \"\"").command_line, "");
    assert_string_equal(parse_good("cmdline =").command_line, "");
    assert_string_equal(parse_good("cmdline = a=\"b c\" d").command_line, "a=\"b c\" d");
    assert_string_equal(parse_good("cmdline = \"\"\"a b\"\" c\"").command_line, "\"a b\" c");
    assert_string_equal(parse_good("cmdline = \"\"\"\"\"\"").command_line, "\"\"");
    assert_refused("cmdline = \"\"\"", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"a\"\"", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"a\"\"b", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"a", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"a\" b", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = \"a\" \"b\"", CONFIG_BAD_QUOTES, 1);
    assert_refused("cmdline = a=\"b once", CONFIG_OPEN_QUOTE, 1);
    assert_refused("\ncmdline = \"\"\"\"", CONFIG_OPEN_QUOTE, 2);
}

static void test_line_without_equals_sign(void **state)
{
    (void)state;
    assert_refused("\n\nkernel\n", CONFIG_NO_EQUALS_SIGN, 3);
}

static void test_CF2_no_final_newline(void **state)
{
    (void)state;
    assert_string_equal(parse_good("kernel = a\ncmdline = b").command_line, "b");
}

static void test_CF3_over_long_line_aborts(void **state)
{
    (void)state;
    char text[CONFIG_LINE_LIMIT + 64];
    memset(text, '#', sizeof(text));
    text[CONFIG_LINE_LIMIT] = '\n';
    memcpy(text + CONFIG_LINE_LIMIT + 1, "temp_heap=0", 12);
    assert_int_equal(heap_bytes_of(text), 0);

    memset(text, '#', sizeof(text));
    text[0] = '\n';
    assert_bytes_refused(text, CONFIG_LINE_LIMIT + 2, CONFIG_LINE_TOO_LONG, 2);
}

static void test_command_line_limit(void **state)
{
    (void)state;
    char text[CONFIG_LINE_LIMIT] = "cmdline = ";
    memset(text + 10, 'c', 1023);
    assert_int_equal(strlen(parse_good(text).command_line), 1023);
    text[10 + 1023] = 'c';
    assert_refused(text, CONFIG_COMMAND_LINE_TOO_LONG, 1);
}

static void test_CF4_crlf_and_byte_order_mark(void **state)
{
    (void)state;
    struct config config =
        parse_good("\xef\xbb\xbfkernel = a.elf\r\n\r\ncmdline = x y\r\ntemp_heap = 2M\r\n");
    assert_string_equal(config.kernel_path, "\\a.elf");
    assert_string_equal(config.command_line, "x y");
    assert_int_equal(only_heap_bytes(&config), 2 << 20);
}

static void test_CF4_nul_byte_is_refused(void **state)
{
    (void)state;
    assert_bytes_refused("kernel = a\nk\0x = 1\n", 18, CONFIG_NUL_BYTE, 2);
    assert_bytes_refused("\0", 1, CONFIG_NUL_BYTE, 1);
    assert_bytes_refused("#\0", 2, CONFIG_NUL_BYTE, 1);
    assert_bytes_refused("k\0e\0r\0n\0", 8, CONFIG_NUL_BYTE, 1); /* UTF-16 */
}

static void test_CF5_duplicate_key(void **state)
{
    (void)state;
    assert_refused("kernel = a\nkernel = a\n", CONFIG_DUPLICATE_KEY, 2);
    assert_refused("cmdline =\ntemp_heap = 1M\ncmdline = b\n", CONFIG_DUPLICATE_KEY, 3);
    assert_refused("temp_heap = 1M\ntemp_heap = 1M\n", CONFIG_DUPLICATE_KEY, 2);
}

static void test_CF6_unknown_keys_are_counted(void **state)
{
    (void)state;
    struct config config = parse_good("cmdline = a\nKernel = x\ntime = 5\nkern = \"\n= 1\n");
    assert_int_equal(config.unknown_key_count, 4);
    assert_int_equal(config.first_unknown_line, 2);
    assert_string_equal(config.kernel_path, "\\kernel.elf");
}

static void test_CF7_bad_numbers(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "temp_heap =",    "temp_heap = -1", "temp_heap = 1MB",
        "temp_heap = 1x", "temp_heap = 1,", "temp_heap = 18446744073709551616",
        "temp_heap = M",  "temp_heap = 0x", "temp_heap = 17179869184G",
        "temp_heap = +1", "temp_heap = ,1", "temp_heap = 1,,2"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_refused(BAD[i], CONFIG_BAD_NUMBER, 1);
}

static void test_CF8_path_limits(void **state)
{
    (void)state;
    char text[CONFIG_LINE_LIMIT] = "kernel = \\";
    memset(text + 10, 'k', 254);
    assert_int_equal(strlen(parse_good(text).kernel_path), 255);
    text[10 + 254] = 'k';
    assert_refused(text, CONFIG_PATH_TOO_LONG, 1);

    memset(text, 0, sizeof(text));
    memcpy(text, "kernel = ", 9);
    memset(text + 9, 'k', 254); /* the parser puts a backslash before it */
    assert_int_equal(strlen(parse_good(text).kernel_path), 255);
    text[9 + 254] = 'k';
    assert_refused(text, CONFIG_PATH_TOO_LONG, 1);

    assert_refused("kernel = ../kernel.elf", CONFIG_PATH_ESCAPES, 1);
    assert_refused("kernel = \\a\\..\\b", CONFIG_PATH_ESCAPES, 1);
    assert_refused("kernel = a/..", CONFIG_PATH_ESCAPES, 1);
    assert_string_equal(parse_good("kernel = ./a.b.c").kernel_path, "\\.\\a.b.c");
}

static void test_output(void **state)
{
    (void)state;
    static const char *const BAD[] = {"output =",
                                      "output = 0",
                                      "output = 65",
                                      "output = -1",
                                      "output = 1 2",
                                      "output = consoles",
                                      "output = 18446744073709551617"};
    assert_int_equal(parse_good("output = console").output_number, 0);
    assert_int_equal(parse_good("output = 1").output_number, 1);
    assert_int_equal(parse_good("output=64").output_number, 64);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_refused(BAD[i], CONFIG_BAD_OUTPUT, 1);
    assert_refused("output = 1\noutput = 1", CONFIG_DUPLICATE_KEY, 2);
}

static void test_resolution(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "resolution =",          "resolution = 0x600",       "resolution = 800x0",
        "resolution = 800",      "resolution = x600",        "resolution = 800x",
        "resolution = 800x600x", "resolution = 800 x 600",   "resolution = 65536x1",
        "resolution = 1x65536",  "resolution = nativ",       "resolution = -800x600",
        "resolution = 800X600",  "resolution = 4294968096x1"};
    struct config config = parse_good("resolution = 1920x1080");
    assert_int_equal(config.resolution, CONFIG_RESOLUTION_SIZE);
    assert_int_equal(config.resolution_size.width_pixels, 1920);
    assert_int_equal(config.resolution_size.height_pixels, 1080);
    assert_int_equal(parse_good("resolution = 65535x1").resolution_size.width_pixels, 65535);
    config = parse_good("resolution = native");
    assert_int_equal(config.resolution, CONFIG_RESOLUTION_NATIVE);
    assert_int_equal(config.resolution_size.width_pixels, 0);
    config = parse_good("resolution = keep");
    assert_int_equal(config.resolution, CONFIG_RESOLUTION_KEEP);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_refused(BAD[i], CONFIG_BAD_RESOLUTION, 1);
}

static void test_CF9_large_file_stops_at_the_cap(void **state)
{
    (void)state;
    const size_t size_bytes = 1 << 20;
    char *text = malloc(size_bytes);
    assert_non_null(text);
    memset(text, '\n', size_bytes);
    assert_bytes_refused(text, size_bytes, CONFIG_FILE_TOO_LARGE, 0);
    assert_bytes_refused(text, CONFIG_FILE_LIMIT_BYTES + 1, CONFIG_FILE_TOO_LARGE, 0);
    struct config config;
    unsigned line;
    assert_int_equal(config_parse(text, CONFIG_FILE_LIMIT_BYTES, &config, &line), CONFIG_OK);
    free(text);
}

static void test_menu_keys(void **state)
{
    (void)state;
    struct config config = parse_good("timeout = 5\ndefault = a.B-9_\nremember_last = on\n"
                                      "title = A \xc3\xa4\n");
    assert_int_equal(config.timeout_seconds, 5);
    assert_string_equal(config.default_id, "a.B-9_");
    assert_true(config.remembers_last);
    assert_string_equal(config.title, "A \xc3\xa4");
    assert_int_equal(parse_good("").timeout_seconds, 0);
    assert_int_equal(parse_good("timeout = 3600").timeout_seconds, 3600);
    assert_true(parse_good("timeout = menu").timeout_seconds == CONFIG_TIMEOUT_NEVER);
    assert_false(parse_good("remember_last = off").remembers_last);
    assert_false(parse_good("load_options = on").ignores_load_options);
    assert_true(parse_good("load_options = off").ignores_load_options);
    assert_refused("load_options = no", CONFIG_BAD_SWITCH, 1);
    assert_refused("timeout = 3601", CONFIG_BAD_TIMEOUT, 1);
    assert_refused("timeout =", CONFIG_BAD_TIMEOUT, 1);
    assert_refused("timeout = 18446744073709551616", CONFIG_BAD_TIMEOUT, 1);
    assert_refused("remember_last = yes", CONFIG_BAD_SWITCH, 1);
    assert_refused("default =", CONFIG_BAD_ID, 1);
    assert_refused("default = a/b", CONFIG_BAD_ID, 1);
    assert_refused("default = \xc3\xa4", CONFIG_BAD_ID, 1);
}

static void test_IDs(void **state)
{
    (void)state;
    char text[80] = "default = ";
    memset(text + 10, 'i', 63);
    assert_int_equal(strlen(parse_good(text).default_id), 63);
    text[10 + 63] = 'i';
    assert_refused(text, CONFIG_BAD_ID, 1);
    for (int byte = 1; byte < 256; byte++) {
        char character = (char)byte;
        bool is_good = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                              character) != NULL;
        assert_int_equal(config_is_id((struct piece){&character, 1}), is_good);
    }
}

static void test_a_long_title_is_cut_before_a_character(void **state)
{
    (void)state;
    char text[CONFIG_LINE_LIMIT] = "title = ";
    for (size_t i = 0; i < 64; i++)
        memcpy(text + 8 + 2 * i, "\xc3\xa4", 2);
    assert_int_equal(strlen(parse_good(text).title), 126);
    memcpy(text + 8, "a\xe2\x82\xac", 4);
    memset(text + 12, 'b', CONFIG_TITLE_CAPACITY - 1 - 4 + 5);
    assert_int_equal(strlen(parse_good(text).title), CONFIG_TITLE_CAPACITY - 1);
}

static void test_an_EFI_application(void **state)
{
    (void)state;
    assert_string_equal(parse_good("efi = EFI/tools/shell.efi").efi_path,
                        "\\EFI\\tools\\shell.efi");
    assert_string_equal(parse_good("").efi_path, "");
    assert_refused("efi =", CONFIG_EMPTY_VALUE, 1);
    assert_refused("efi = ..\\a", CONFIG_PATH_ESCAPES, 1);
    assert_refused("efi = a\nkernel = b", CONFIG_KERNEL_AND_EFI, 2);
    assert_refused("kernel = a\nefi = b", CONFIG_KERNEL_AND_EFI, 2);
}

static void test_the_place_of_an_error(void **state)
{
    (void)state;
    struct config config;
    struct config_wrong wrong;
    char text[200];
    const char lines[] = "title = x\ntimeout = 5\n";
    config_set_defaults(&config);
    assert_int_equal(
        config_parse_lines((struct piece){lines, strlen(lines)}, 7, true, &config, &wrong),
        CONFIG_GLOBAL_KEY);
    config_describe_wrong("", "\\handoff.conf", CONFIG_GLOBAL_KEY, &wrong, text, sizeof(text));
    assert_string_equal(text,
                        "\\handoff.conf, line 8, key timeout: This key stands only before the "
                        "first entry.");
    config_describe_wrong("\\a\\", "b.conf", CONFIG_FILE_TOO_LARGE, &(struct config_wrong){0}, text,
                          sizeof(text));
    assert_string_equal(text, "\\a\\b.conf: The file is larger than 64 KiB.");
}

static void test_every_status_has_a_sentence(void **state)
{
    (void)state;
    for (int status = CONFIG_OK; status <= CONFIG_GLOBAL_KEY; status++) {
        assert_non_null(strchr(config_status_text((enum config_status)status), '.'));
        assert_null(strstr(config_status_text((enum config_status)status), "unknown error"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_CF1_empty_file_means_defaults),
        cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_kernel_path_begins_with_a_backslash),
        cmocka_unit_test(test_temp_heap_sizes),
        cmocka_unit_test(test_temp_heap_places),
        cmocka_unit_test(test_bad_temp_heap_places),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_N2_two_modules_of_one_name_are_both_kept),
        cmocka_unit_test(test_bad_modules),
        cmocka_unit_test(test_module_limits),
        cmocka_unit_test(test_module_texts_fill_their_room),
        cmocka_unit_test(test_serial_ports),
        cmocka_unit_test(test_start_of_processors),
        cmocka_unit_test(test_place_of_the_boot_record),
        cmocka_unit_test(test_integrity_keys),
        cmocka_unit_test(test_kaslr_and_symbols),
        cmocka_unit_test(test_quoted_values),
        cmocka_unit_test(test_line_without_equals_sign),
        cmocka_unit_test(test_CF2_no_final_newline),
        cmocka_unit_test(test_CF3_over_long_line_aborts),
        cmocka_unit_test(test_command_line_limit),
        cmocka_unit_test(test_CF4_crlf_and_byte_order_mark),
        cmocka_unit_test(test_CF4_nul_byte_is_refused),
        cmocka_unit_test(test_CF5_duplicate_key),
        cmocka_unit_test(test_CF6_unknown_keys_are_counted),
        cmocka_unit_test(test_CF7_bad_numbers),
        cmocka_unit_test(test_CF8_path_limits),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_CF9_large_file_stops_at_the_cap),
        cmocka_unit_test(test_menu_keys),
        cmocka_unit_test(test_IDs),
        cmocka_unit_test(test_a_long_title_is_cut_before_a_character),
        cmocka_unit_test(test_an_EFI_application),
        cmocka_unit_test(test_the_place_of_an_error),
        cmocka_unit_test(test_every_status_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
