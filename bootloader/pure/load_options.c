#include "bootloader/pure/load_options.h"

#include <stdint.h>

#include "bootloader/pure/text_part.h"
#include "shared/text/command_line.h"
#include "shared/text/piece.h"

#define NO_TEXT SIZE_MAX

/* Characters of the load options. */
struct source {
    const unsigned char *bytes;
    size_t stride_bytes; /* 2 in UCS-2, 1 in ASCII */
    size_t start;        /* the number of the first character, and of the one behind the last */
    size_t end;
};

static char at(const struct source *source, size_t number)
{
    return (char)source->bytes[number * source->stride_bytes];
}

static bool is_printable(char character)
{
    return (character >= 0x20 && character <= 0x7e) || character == '\t';
}

/* Return the number of characters before the zeros, or NO_TEXT. An odd byte is a character, too. */
static size_t measure(const unsigned char *bytes, size_t size_bytes, size_t stride_bytes)
{
    const struct source source = {bytes, stride_bytes, 0, 0};
    size_t length = 0;
    while (length * stride_bytes < size_bytes && is_printable(at(&source, length)))
        length++;
    for (size_t i = 0; i < size_bytes; i++) {
        bool is_zero = i >= length * stride_bytes || i % stride_bytes != 0;
        if (is_zero && bytes[i] != 0)
            return NO_TEXT;
    }
    return length;
}

static size_t word_end(const struct source *source)
{
    bool is_quoted = false;
    size_t end = source->start;
    while (end < source->end && (is_quoted || !piece_is_blank(at(source, end)))) {
        if (at(source, end) == '"')
            is_quoted = !is_quoted;
        end++;
    }
    return end;
}

/* The word before `end` ends with `.efi`, in quotes or without. */
static bool is_program(const struct source *source, size_t end)
{
    static const char ending[] = ".efi";
    size_t length = sizeof(ending) - 1;
    if (end > source->start && at(source, end - 1) == '"')
        end--;
    if (end - source->start < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((at(source, end - length + i) | 0x20) != (ending[i] | 0x20))
            return false;
    }
    return true;
}

static void drop_blanks(struct source *source)
{
    while (source->start < source->end && piece_is_blank(at(source, source->start)))
        source->start++;
    while (source->start < source->end && piece_is_blank(at(source, source->end - 1)))
        source->end--;
}

static enum load_options_status copy(const struct source *source, char *text, size_t capacity_bytes)
{
    size_t length = source->end - source->start;
    if (length == 0)
        return LOAD_OPTIONS_NONE;
    if (length >= capacity_bytes)
        return LOAD_OPTIONS_TOO_LONG;
    for (size_t i = 0; i < length; i++)
        text[i] = at(source, source->start + i);
    text[length] = '\0';
    if (!command_line_has_open_quote(text))
        return LOAD_OPTIONS_TEXT;
    text[0] = '\0';
    return LOAD_OPTIONS_OPEN_QUOTE;
}

/* The second byte of UCS-2 is 0 if the first character is ASCII. A single character is the same text
 * in both. */
enum load_options_status load_options_parse(const void *bytes, size_t size_bytes,
                                            bool has_program_name, char *text,
                                            size_t capacity_bytes)
{
    const unsigned char *given = bytes;
    struct source source = {given, size_bytes >= 2 && given[1] == 0 ? 2 : 1, 0, 0};

    text[0] = '\0';
    source.end = measure(given, size_bytes, source.stride_bytes);
    if (source.end == NO_TEXT)
        return LOAD_OPTIONS_BINARY;
    drop_blanks(&source);
    size_t end = word_end(&source);
    if (has_program_name || is_program(&source, end))
        source.start = end;
    drop_blanks(&source);
    return copy(&source, text, capacity_bytes);
}

const char *load_options_obstacle(enum load_options_status status)
{
    static const char obstacles[] = "they are not printable ASCII text\0"
                                    "they are longer than 1023 bytes\0"
                                    "a quote in them is never closed\0";
    return status < LOAD_OPTIONS_BINARY
               ? NULL
               : text_part(obstacles, (unsigned)(status - LOAD_OPTIONS_BINARY));
}
