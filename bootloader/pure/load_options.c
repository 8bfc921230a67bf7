#include "bootloader/pure/load_options.h"

#include "bootloader/pure/text_part.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/packed_text.h"
#include "shared/text/piece.h"
#include "shared/text/text.h"

static bool is_text(unsigned char byte)
{
    return (byte >= 0x20 && byte <= 0x7e) || byte == '\t';
}

/* The second byte of UCS-2 is 0 if the first character is ASCII. A single character is the same text
 * in both. An odd byte at the end is a character, too. Zeros may follow. */
static enum load_options_status copy(const unsigned char *bytes, size_t size_bytes, char *text,
                                     size_t capacity_bytes)
{
    size_t stride_bytes = size_bytes >= 2 && bytes[1] == 0 ? 2 : 1;
    size_t length = 0;
    size_t i = 0;
    for (; i < size_bytes && is_text(bytes[i]); i += stride_bytes) {
        if (stride_bytes == 2 && i + 1 < size_bytes && bytes[i + 1] != 0)
            break;
        if (length + 1 >= capacity_bytes)
            return LOAD_OPTIONS_TOO_LONG;
        text[length++] = (char)bytes[i];
    }
    text[length] = '\0';
    while (i < size_bytes && bytes[i] == 0)
        i++;
    return i < size_bytes ? LOAD_OPTIONS_BINARY : LOAD_OPTIONS_TEXT;
}

static bool is_program(struct piece word)
{
    return piece_ends_with(word, ".efi") || piece_ends_with(word, ".efi\"");
}

/* Drop the program's name and the blanks at the front. Return false if no word is left. */
static bool drop_program(char *text, bool has_program_name)
{
    const char *rest = text;
    struct command_line_word word;
    if (!command_line_next(&rest, &word))
        return false;
    if ((has_program_name || is_program(word.text)) && !command_line_next(&rest, &word))
        return false;
    memmove(text, word.text.text, text_length(word.text.text) + 1);
    return true;
}

static enum load_options_status parse(const void *bytes, size_t size_bytes, bool has_program_name,
                                      char *text, size_t capacity_bytes)
{
    enum load_options_status status = copy(bytes, size_bytes, text, capacity_bytes);
    if (status != LOAD_OPTIONS_TEXT)
        return status;
    if (command_line_has_open_quote(text))
        return LOAD_OPTIONS_OPEN_QUOTE;
    return drop_program(text, has_program_name) ? LOAD_OPTIONS_TEXT : LOAD_OPTIONS_NONE;
}

enum load_options_status load_options_parse(const void *bytes, size_t size_bytes,
                                            bool has_program_name, char *text,
                                            size_t capacity_bytes)
{
    enum load_options_status status =
        parse(bytes, size_bytes, has_program_name, text, capacity_bytes);
    if (status != LOAD_OPTIONS_TEXT)
        text[0] = '\0';
    return status;
}

const char *load_options_obstacle(enum load_options_status status)
{
    static const char obstacles[] PACKED_SECTION = "they are not printable ASCII text\0"
                                                   "they are longer than 1023 bytes\0"
                                                   "a quote in them is never closed\0";
    return status < LOAD_OPTIONS_BINARY
               ? NULL
               : text_part(packed_text_read(obstacles), (unsigned)(status - LOAD_OPTIONS_BINARY));
}
