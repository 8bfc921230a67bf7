#include "bootloader/pure/config.h"

#include "bootloader/pure/config_value.h"
#include "bootloader/pure/text_line.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"
#include "shared/text/number.h"
#include "shared/text/packed_text.h"
#include "shared/text/piece.h"

/* A known key, and the function that checks and stores its value. */
struct setting {
    const char *key;
    enum config_status (*store)(struct piece value, struct config *config);
};

/* Longer than all sentences. Zeros behind a sentence take no room in the loader's file. */
#define SENTENCE_CAPACITY 96

static const char sentences[][SENTENCE_CAPACITY] PACKED_SECTION = {
    [CONFIG_OK] = "The configuration is good.",
    [CONFIG_FILE_TOO_LARGE] = "The file is larger than 64 KiB.",
    [CONFIG_NUL_BYTE] = "The file contains a NUL byte: it is not plain text (UTF-16?).",
    [CONFIG_LINE_TOO_LONG] = "The line is longer than 1200 bytes.",
    [CONFIG_NO_EQUALS_SIGN] = "The line is not of the form key = value.",
    [CONFIG_DUPLICATE_KEY] = "The key is given twice.",
    [CONFIG_BAD_NUMBER] = "The value is not a number such as 1048576, 0x100000 or 1M.",
    [CONFIG_NUMBER_TOO_LARGE] = "A temporary heap cannot be larger than 16G.",
    [CONFIG_EMPTY_VALUE] = "The value is empty.",
    [CONFIG_PATH_TOO_LONG] = "The path is longer than 255 characters.",
    [CONFIG_PATH_ESCAPES] = "The path contains '..'.",
    [CONFIG_PATH_NOT_ASCII] = "The path or name contains a character that is not printable ASCII.",
    [CONFIG_COMMAND_LINE_TOO_LONG] = "The command line is longer than 1023 bytes.",
    [CONFIG_BAD_OUTPUT] = "The output is not `console`, and not a number from 1 to 64.",
    [CONFIG_BAD_RESOLUTION] =
        "The resolution is not `keep`, `native`, or a size such as 1920x1080.",
    [CONFIG_BAD_QUOTES] = "The quotes around the value do not match.",
    [CONFIG_BAD_INJECT] =
        "A word of inject is unknown or stands twice, or its number is missing or wrong.",
    [CONFIG_BAD_SERIAL_PORT] =
        "The serial port is not COM1, COM2, COM3, COM4, off, or a number from 0x100 to 0xfff8.",
    [CONFIG_BAD_POST_MORTEM] = "The value of post_mortem is not nvram, and not ram.",
    [CONFIG_BAD_PROCESSORS] = "The value of processors is not start, and not list.",
    [CONFIG_OPEN_QUOTE] = "The command line has a quote that is never closed.",
    [CONFIG_BAD_TIMEOUT] = "The timeout is not `menu`, and not a number of seconds up to 3600.",
    [CONFIG_BAD_SWITCH] = "The value is not on, and not off.",
    [CONFIG_BAD_ID] = "An ID has 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-'.",
    [CONFIG_DUPLICATE_ID] = "An entry before this one has the same ID.",
    [CONFIG_KERNEL_AND_EFI] = "An entry has one of kernel and efi.",
    [CONFIG_GLOBAL_KEY] = "This key stands only before the first entry.",
    [CONFIG_BAD_HEAP_PLACE] =
        "The place of a heap is not `below` or `from` with an address such as 4G.",
    [CONFIG_TOO_MANY_HEAPS] = "There are more than 8 temporary heaps.",
    [CONFIG_NO_MODULE] = "No line `module = ...` is above this line.",
    [CONFIG_TOO_MANY_MODULES] = "There are more than 32 modules.",
    [CONFIG_MODULE_TEXTS_TOO_LONG] =
        "The paths, names and command lines of all modules have more than 4095 bytes.",
    [CONFIG_BAD_ALIGNMENT] = "The alignment is not 4K, and not 2M.",
    [CONFIG_BAD_SHA256] = "The SHA-256 does not have 64 hexadecimal digits.",
    [CONFIG_BAD_TPM] = "The value of tpm is not on, off or demand.",
    [CONFIG_UNREAD] = "The file cannot be read, or it is refused.",
};

const char *config_status_text(enum config_status status)
{
    bool is_known = (size_t)status < sizeof(sentences) / sizeof(sentences[0]);
    return is_known ? packed_text_read(sentences[status])
                    : PACKED("The configuration has an unknown error.");
}

void config_describe_wrong(const char *folder, const char *file, enum config_status status,
                           const struct config_wrong *wrong, char *text, size_t capacity_bytes)
{
    char line[24] = "";
    if (wrong->line != 0)
        format_text(line, sizeof(line), ", line %u", wrong->line);
    format_text(text, capacity_bytes, "%s%s%s%s%s: %s", folder, file, line,
                wrong->key[0] != '\0' ? ", key " : "", wrong->key, config_status_text(status));
}

void config_set_defaults(struct config *config)
{
    static const char KERNEL_PATH[] = "\\kernel.elf";
    memset(config, 0, sizeof(*config));
    memcpy(config->kernel_path, KERNEL_PATH, sizeof(KERNEL_PATH));
    config->temp_heaps.count = 1;
    config->temp_heaps.list[0].size_bytes = CONFIG_TEMP_HEAP_DEFAULT;
}

/* --- Values --- */

/* An entry's kernel replaces an `efi` before the first entry, and the other way around. */
static enum config_status store_kernel_path(struct piece value, struct config *config)
{
    config->efi_path[0] = '\0';
    return config_value_path(value, config->kernel_path);
}

static enum config_status store_efi_path(struct piece value, struct config *config)
{
    return config_value_path(value, config->efi_path);
}

/* The cut is before the first byte of a character (RFC 3629, section 3). */
static enum config_status store_title(struct piece value, struct config *config)
{
    size_t length = value.length;
    if (length > CONFIG_TITLE_CAPACITY - 1) {
        length = CONFIG_TITLE_CAPACITY - 1;
        while (length > 0 && (value.text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(config->title, value.text, length);
    config->title[length] = '\0';
    return CONFIG_OK;
}

static enum config_status store_timeout(struct piece value, struct config *config)
{
    uint64_t seconds = CONFIG_TIMEOUT_NEVER;
    if (!piece_equals(value, "menu") &&
        (!number_parse(value.text, value.length, &seconds) || seconds > CONFIG_TIMEOUT_LIMIT))
        return CONFIG_BAD_TIMEOUT;
    config->timeout_seconds = (uint32_t)seconds;
    return CONFIG_OK;
}

bool config_is_id(struct piece text)
{
    for (size_t i = 0; i < text.length; i++) {
        char letter = (char)(text.text[i] | 0x20);
        char character = text.text[i];
        if (!(letter >= 'a' && letter <= 'z') && !(character >= '0' && character <= '9') &&
            character != '.' && character != '_' && character != '-')
            return false;
    }
    return text.length > 0 && text.length < CONFIG_ID_CAPACITY;
}

static enum config_status store_default(struct piece value, struct config *config)
{
    if (!config_is_id(value))
        return CONFIG_BAD_ID;
    memcpy(config->default_id, value.text, value.length);
    config->default_id[value.length] = '\0';
    return CONFIG_OK;
}

/* The value is one of two words. Return `wrong` for another one. */
static enum config_status store_either(struct piece value, const char *yes, const char *no,
                                       enum config_status wrong, bool *ret_is_yes)
{
    *ret_is_yes = piece_equals(value, yes);
    return *ret_is_yes || piece_equals(value, no) ? CONFIG_OK : wrong;
}

static enum config_status store_switch(struct piece value, bool *ret_is_on)
{
    return store_either(value, "on", "off", CONFIG_BAD_SWITCH, ret_is_on);
}

static enum config_status store_load_options(struct piece value, struct config *config)
{
    bool is_on;
    enum config_status status = store_switch(value, &is_on);
    config->ignores_load_options = !is_on;
    return status;
}

static enum config_status store_remember_last(struct piece value, struct config *config)
{
    return store_switch(value, &config->remembers_last);
}

static enum config_status store_command_line(struct piece value, struct config *config)
{
    if (value.length > CONFIG_COMMAND_LINE_CAPACITY - 1)
        return CONFIG_COMMAND_LINE_TOO_LONG;
    memcpy(config->command_line, value.text, value.length);
    config->command_line[value.length] = '\0';
    return command_line_has_open_quote(config->command_line) ? CONFIG_OPEN_QUOTE : CONFIG_OK;
}

static enum config_status store_inject(struct piece value, struct config *config)
{
    return inject_parse(value, &config->inject) ? CONFIG_OK : CONFIG_BAD_INJECT;
}

static enum config_status store_output(struct piece value, struct config *config)
{
    uint64_t number = 0;
    if (!piece_equals(value, "console") && (!number_parse(value.text, value.length, &number) ||
                                            number == 0 || number > CONFIG_OUTPUT_LIMIT))
        return CONFIG_BAD_OUTPUT;
    config->output_number = (unsigned)number;
    return CONFIG_OK;
}

static bool parse_side(struct piece text, uint32_t *ret_pixels)
{
    uint64_t pixels;
    if (!number_parse(text.text, text.length, &pixels) || pixels == 0 || pixels > UINT16_MAX)
        return false;
    *ret_pixels = (uint32_t)pixels;
    return true;
}

static enum config_status store_resolution(struct piece value, struct config *config)
{
    struct piece width;
    struct piece height;
    struct screen_size size = {0, 0};
    enum config_resolution resolution = CONFIG_RESOLUTION_KEEP;
    if (piece_equals(value, "native")) {
        resolution = CONFIG_RESOLUTION_NATIVE;
    } else if (!piece_equals(value, "keep")) {
        resolution = CONFIG_RESOLUTION_SIZE;
        if (!piece_split(value, 'x', &width, &height) || !parse_side(width, &size.width_pixels) ||
            !parse_side(height, &size.height_pixels))
            return CONFIG_BAD_RESOLUTION;
    }
    config->resolution = resolution;
    config->resolution_size = size;
    return CONFIG_OK;
}

static enum config_status store_serial_port(struct piece value, struct config *config)
{
    return serial_wish_parse(value.text, value.length, &config->serial) ? CONFIG_OK
                                                                        : CONFIG_BAD_SERIAL_PORT;
}

static enum config_status store_post_mortem(struct piece value, struct config *config)
{
    return store_either(value, "nvram", "ram", CONFIG_BAD_POST_MORTEM,
                        &config->keeps_record_in_nvram);
}

static enum config_status store_kaslr(struct piece value, struct config *config)
{
    bool is_on;
    enum config_status status = store_switch(value, &is_on);
    config->has_fixed_base = !is_on;
    return status;
}

static enum config_status store_symbols(struct piece value, struct config *config)
{
    return store_switch(value, &config->hands_over_symbols);
}

static enum config_status store_kernel_sha256(struct piece value, struct config *config)
{
    config->has_kernel_sha256 = sha256_parse(value, &config->kernel_sha256);
    return config->has_kernel_sha256 ? CONFIG_OK : CONFIG_BAD_SHA256;
}

static enum config_status store_tpm(struct piece value, struct config *config)
{
    return tpm_wish_parse(value, &config->tpm) ? CONFIG_OK : CONFIG_BAD_TPM;
}

static enum config_status store_processors(struct piece value, struct config *config)
{
    return store_either(value, "start", "list", CONFIG_BAD_PROCESSORS, &config->starts_processors);
}

/* --- Lines --- */

static bool contains(struct piece piece, char character)
{
    for (size_t i = 0; i < piece.length; i++) {
        if (piece.text[i] == character)
            return true;
    }
    return false;
}

/* Copy the text between the outer quotes to `plain`. Two quotes in a row become one. */
static enum config_status copy_quoted(struct piece inside, char plain[CONFIG_LINE_LIMIT],
                                      struct piece *ret_value)
{
    size_t length = 0;
    for (size_t i = 0; i < inside.length; i++) {
        plain[length++] = inside.text[i];
        if (inside.text[i] != '"')
            continue;
        i++;
        if (i == inside.length || inside.text[i] != '"')
            return CONFIG_BAD_QUOTES;
    }
    *ret_value = (struct piece){plain, length};
    return CONFIG_OK;
}

/* Quotes have a meaning only if the value begins with one: `root="a b" quiet` is kept unchanged.
 * `plain` is a buffer for a value without its quotes. A value is shorter than its line. */
static enum config_status remove_quotes(struct piece *value, char plain[CONFIG_LINE_LIMIT])
{
    if (value->length == 0 || value->text[0] != '"')
        return CONFIG_OK;
    if (value->length < 2 || value->text[value->length - 1] != '"')
        return CONFIG_BAD_QUOTES;
    return copy_quoted((struct piece){value->text + 1, value->length - 2}, plain, value);
}

/* The keys of a module come first, then those that an entry cannot have. */
static const struct setting settings[] = {
    {"module", config_module_begin},
    {"module_name", config_module_store_name},
    {"module_cmdline", config_module_store_command_line},
    {"module_align", config_module_store_alignment},
    {"module_sha256", config_module_store_sha256},
    {"timeout", store_timeout},
    {"default", store_default},
    {"remember_last", store_remember_last},
    {"load_options", store_load_options},
    {"kernel", store_kernel_path},
    {"efi", store_efi_path},
    {"title", store_title},
    {"cmdline", store_command_line},
    {"temp_heap", config_heaps_store},
    {"output", store_output},
    {"resolution", store_resolution},
    {"serial", store_serial_port},
    {"post_mortem", store_post_mortem},
    {"processors", store_processors},
    {"inject", store_inject},
    {"tpm", store_tpm},
    {"kernel_sha256", store_kernel_sha256},
    {"kaslr", store_kaslr},
    {"symbols", store_symbols},
};
#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

/* Bits of `stored` below. */
#define MODULE_BIT     1u
#define MODULE_BITS    31u
#define GLOBAL_BITS    (15u << 5)
#define KERNEL_AND_EFI (3u << 9)

/* Return SETTING_COUNT for an unknown key. */
static size_t find_setting(struct piece key)
{
    size_t index = 0;
    while (index < SETTING_COUNT && !piece_equals(key, settings[index].key))
        index++;
    return index;
}

struct parser {
    struct config *config;
    unsigned line_number;
    bool is_entry;
    unsigned stored; /* bit i: setting i has been stored, and must not come again */
};

/* A module's keys belong to the last `module` line. The first such line replaces what is there. */
static enum config_status note_module_key(struct parser *parser, unsigned bit)
{
    bool has_module = (parser->stored & MODULE_BIT) != 0;
    if (bit != MODULE_BIT)
        return has_module ? CONFIG_OK : CONFIG_NO_MODULE;
    if (!has_module)
        parser->config->modules.count = 0;
    parser->stored &= ~MODULE_BITS;
    return CONFIG_OK;
}

static enum config_status note_key(struct parser *parser, unsigned bit)
{
    if ((bit & MODULE_BITS) != 0) {
        enum config_status status = note_module_key(parser, bit);
        if (status != CONFIG_OK)
            return status;
    }
    if ((bit & GLOBAL_BITS) != 0 && parser->is_entry)
        return CONFIG_GLOBAL_KEY;
    if ((parser->stored & bit) != 0)
        return CONFIG_DUPLICATE_KEY;
    parser->stored |= bit;
    return (bit & KERNEL_AND_EFI) != 0 && (parser->stored & KERNEL_AND_EFI) == KERNEL_AND_EFI
               ? CONFIG_KERNEL_AND_EFI
               : CONFIG_OK;
}

static enum config_status store(struct parser *parser, struct piece key, struct piece value)
{
    char plain[CONFIG_LINE_LIMIT];
    struct config *config = parser->config;
    size_t index = find_setting(key);
    if (index == SETTING_COUNT) {
        if (config->unknown_key_count++ == 0)
            config->first_unknown_line = parser->line_number;
        return CONFIG_OK;
    }
    enum config_status status = note_key(parser, 1u << index);
    if (status == CONFIG_OK)
        status = remove_quotes(&value, plain);
    return status == CONFIG_OK ? settings[index].store(value, config) : status;
}

bool config_split_line(struct piece line, struct piece *ret_key, struct piece *ret_value)
{
    line = config_value_trim(line);
    if (line.length == 0 || line.text[0] == '#' || !piece_split(line, '=', ret_key, ret_value))
        return false;
    *ret_key = config_value_trim(*ret_key);
    *ret_value = config_value_trim(*ret_value);
    return true;
}

static enum config_status parse_line(struct parser *parser, struct piece line,
                                     struct piece *ret_key)
{
    struct piece value;
    if (line.length > CONFIG_LINE_LIMIT)
        return CONFIG_LINE_TOO_LONG;
    if (contains(line, '\0'))
        return CONFIG_NUL_BYTE;
    line = config_value_trim(line);
    if (line.length == 0 || line.text[0] == '#')
        return CONFIG_OK;
    if (!config_split_line(line, ret_key, &value))
        return CONFIG_NO_EQUALS_SIGN;
    return store(parser, *ret_key, value);
}

void config_skip_mark(struct piece *text)
{
    static const char MARK[3] = {'\xef', '\xbb', '\xbf'};
    if (text->length >= sizeof(MARK) && memcmp(text->text, MARK, sizeof(MARK)) == 0) {
        text->text += sizeof(MARK);
        text->length -= sizeof(MARK);
    }
}

enum config_status config_parse_lines(struct piece lines, unsigned first_line, bool is_entry,
                                      struct config *config, struct config_wrong *ret_wrong)
{
    struct parser parser = {config, first_line, is_entry, 0};
    for (; lines.length > 0; parser.line_number++) {
        struct piece key = {"", 0};
        enum config_status status = parse_line(&parser, text_next_line(&lines), &key);
        if (status == CONFIG_OK)
            continue;
        ret_wrong->line = parser.line_number;
        format_text(ret_wrong->key, sizeof(ret_wrong->key), "%.*s", (int)key.length, key.text);
        return status;
    }
    return CONFIG_OK;
}

enum config_status config_parse(const char *text, size_t size_bytes, struct config *ret_config,
                                unsigned *ret_line)
{
    struct config_wrong wrong = {0};
    struct piece lines = {text, size_bytes};
    enum config_status status = CONFIG_FILE_TOO_LARGE;
    config_set_defaults(ret_config);
    config_skip_mark(&lines);
    if (size_bytes <= CONFIG_FILE_LIMIT_BYTES)
        status = config_parse_lines(lines, 1, false, ret_config, &wrong);
    if (status != CONFIG_OK)
        config_set_defaults(ret_config);
    *ret_line = wrong.line;
    return status;
}

bool config_switch_setting(const struct config *config, const char *word, bool key_is_on)
{
    return command_line_is(config->command_line, word, "on") ||
           (key_is_on && !command_line_is(config->command_line, word, "off"));
}
