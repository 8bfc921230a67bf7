#include "shared/text/format.h"

#include <stdbool.h>
#include <stdint.h>

/* The buffer for the text. `length` counts all characters of the text, also those for which the
 * buffer has no room. */
struct output {
    char *buffer;
    size_t capacity_bytes;
    size_t length;
};

enum length_modifier { LENGTH_INT, LENGTH_SHORT, LENGTH_LONG, LENGTH_LONG_LONG, LENGTH_SIZE };

struct conversion {
    bool left_aligned;
    bool zero_padded;
    int width;     /* 0: no width was given */
    int precision; /* -1: no precision was given */
    enum length_modifier length;
};

/* va_list is an array on some targets and a pointer on others. Inside a struct, its address can be
 * passed on both. */
struct arguments {
    va_list list;
};

static void put_character(struct output *output, char character)
{
    if (output->length + 1 < output->capacity_bytes)
        output->buffer[output->length] = character;
    output->length++;
}

static void put_repeated(struct output *output, char character, int count)
{
    for (int i = 0; i < count; i++)
        put_character(output, character);
}

/* Put a sign or 0x (`prefix`) before zeros of the padding, but behind blanks of it. */
static void put_padded(struct output *output, const struct conversion *conversion,
                       const char *prefix, const char *text, int text_length)
{
    int prefix_length = 0;
    while (prefix[prefix_length] != '\0')
        prefix_length++;
    int padding = conversion->width - prefix_length - text_length;

    if (!conversion->left_aligned && !conversion->zero_padded)
        put_repeated(output, ' ', padding);
    for (int i = 0; i < prefix_length; i++)
        put_character(output, prefix[i]);
    if (!conversion->left_aligned && conversion->zero_padded)
        put_repeated(output, '0', padding);
    for (int i = 0; i < text_length; i++)
        put_character(output, text[i]);
    if (conversion->left_aligned)
        put_repeated(output, ' ', padding);
}

static void put_number(struct output *output, const struct conversion *conversion,
                       const char *prefix, uint64_t value, unsigned base)
{
    char digits[20]; /* 2^64 - 1 has twenty decimal digits */
    int first = (int)sizeof(digits);
    do {
        digits[--first] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put_padded(output, conversion, prefix, &digits[first], (int)sizeof(digits) - first);
}

static void put_string(struct output *output, struct conversion conversion, const char *text)
{
    if (text == NULL)
        text = "(null)";
    int length = 0;
    while ((conversion.precision < 0 || length < conversion.precision) && text[length] != '\0')
        length++;
    conversion.zero_padded = false;
    put_padded(output, &conversion, "", text, length);
}

static int64_t take_signed(struct arguments *arguments, enum length_modifier length)
{
    switch (length) {
    case LENGTH_LONG:
        return va_arg(arguments->list, long);
    case LENGTH_LONG_LONG:
        return va_arg(arguments->list, long long);
    case LENGTH_SIZE:
        return (int64_t)va_arg(arguments->list, size_t);
    case LENGTH_SHORT:
        return (short)va_arg(arguments->list, int);
    default:
        return va_arg(arguments->list, int);
    }
}

static uint64_t take_unsigned(struct arguments *arguments, enum length_modifier length)
{
    switch (length) {
    case LENGTH_LONG:
        return va_arg(arguments->list, unsigned long);
    case LENGTH_LONG_LONG:
        return va_arg(arguments->list, unsigned long long);
    case LENGTH_SIZE:
        return va_arg(arguments->list, size_t);
    case LENGTH_SHORT:
        return (unsigned short)va_arg(arguments->list, unsigned);
    default:
        return va_arg(arguments->list, unsigned);
    }
}

static void put_signed(struct output *output, const struct conversion *conversion, int64_t value)
{
    /* The negation is unsigned, because -INT64_MIN has no room in an int64_t. */
    if (value < 0)
        put_number(output, conversion, "-", 0 - (uint64_t)value, 10);
    else
        put_number(output, conversion, "", (uint64_t)value, 10);
}

static int parse_digits(const char **format)
{
    int value = 0;
    while (**format >= '0' && **format <= '9') {
        value = value * 10 + (**format - '0');
        (*format)++;
    }
    return value;
}

static enum length_modifier parse_length(const char **format)
{
    switch (**format) {
    case 'h':
        (*format)++;
        return LENGTH_SHORT;
    case 'z':
        (*format)++;
        return LENGTH_SIZE;
    case 'l':
        (*format)++;
        if (**format != 'l')
            return LENGTH_LONG;
        (*format)++;
        return LENGTH_LONG_LONG;
    default:
        return LENGTH_INT;
    }
}

static void parse_flags(const char **format, struct conversion *conversion)
{
    for (; **format == '-' || **format == '0'; (*format)++) {
        if (**format == '-')
            conversion->left_aligned = true;
        else
            conversion->zero_padded = true;
    }
}

/* Read digits, or take the next argument for a '*'. */
static int parse_count(const char **format, struct arguments *arguments)
{
    if (**format != '*')
        return parse_digits(format);
    (*format)++;
    return va_arg(arguments->list, int);
}

/* Read flags, width, precision and length. Then *format points to the conversion letter. */
static struct conversion parse_conversion(const char **format, struct arguments *arguments)
{
    struct conversion conversion = {.precision = -1};
    parse_flags(format, &conversion);
    conversion.width = parse_count(format, arguments);
    if (conversion.width < 0) {
        conversion.left_aligned = true;
        conversion.width = -conversion.width;
    }
    if (**format == '.') {
        (*format)++;
        conversion.precision = parse_count(format, arguments);
    }
    conversion.length = parse_length(format);
    return conversion;
}

static void put_letter(struct output *output, const struct conversion *conversion, char letter)
{
    put_padded(output, conversion, "", &letter, 1);
}

/* Return false, and put nothing, if the conversion letter is unknown. */
static bool put_conversion(struct output *output, const struct conversion *conversion, char letter,
                           struct arguments *arguments)
{
    switch (letter) {
    case 'd':
    case 'i':
        put_signed(output, conversion, take_signed(arguments, conversion->length));
        return true;
    case 'u':
        put_number(output, conversion, "", take_unsigned(arguments, conversion->length), 10);
        return true;
    case 'x':
        put_number(output, conversion, "", take_unsigned(arguments, conversion->length), 16);
        return true;
    case 'p':
        put_number(output, conversion, "0x", (uintptr_t)va_arg(arguments->list, void *), 16);
        return true;
    case 's':
        put_string(output, *conversion, va_arg(arguments->list, const char *));
        return true;
    case 'c':
        put_letter(output, conversion, (char)va_arg(arguments->list, int));
        return true;
    case '%':
        put_character(output, '%');
        return true;
    default:
        return false;
    }
}

static void put_format(struct output *output, const char *format, struct arguments *arguments)
{
    while (*format != '\0') {
        if (*format != '%') {
            put_character(output, *format++);
            continue;
        }
        const char *start = format++;
        struct conversion conversion = parse_conversion(&format, arguments);
        if (put_conversion(output, &conversion, *format, arguments)) {
            format++;
            continue;
        }
        while (start < format)
            put_character(output, *start++);
        if (*format != '\0')
            put_character(output, *format++);
    }
}

int format_text_v(char *buffer, size_t capacity_bytes, const char *format, va_list arguments)
{
    struct output output = {.buffer = buffer, .capacity_bytes = capacity_bytes};
    struct arguments copy;
    va_copy(copy.list, arguments);
    put_format(&output, format, &copy);
    va_end(copy.list);

    if (capacity_bytes > 0) {
        size_t last = output.length < capacity_bytes ? output.length : capacity_bytes - 1;
        buffer[last] = '\0';
    }
    return (int)output.length;
}

int format_text(char *buffer, size_t capacity_bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_v(buffer, capacity_bytes, format, arguments);
    va_end(arguments);
    return length;
}
