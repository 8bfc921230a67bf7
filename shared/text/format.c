#include "shared/text/format.h"

#include <stdbool.h>
#include <stdint.h>

/* A text that grows, with the rest of its format and its arguments, and the conversion that is read.
 * `length` counts all characters of the text, also those for which the buffer has no room. va_list
 * is an array on some targets and a pointer on others. Inside a struct, its address can be passed on
 * both. */
struct work {
    char *buffer;
    size_t capacity_bytes;
    size_t length;
    const char *format;
    va_list arguments;
    bool left_aligned;
    bool zero_padded;
    int width;     /* 0: no width was given */
    int precision; /* -1: no precision was given */
    unsigned number_size_bytes;
};

static void put_character(struct work *work, char character)
{
    if (work->length + 1 < work->capacity_bytes)
        work->buffer[work->length] = character;
    work->length++;
}

static void put_repeated(struct work *work, char character, int count)
{
    for (int i = 0; i < count; i++)
        put_character(work, character);
}

/* Put a sign or 0x (`prefix`) before zeros of the padding, but behind blanks of it. */
static void put_padded(struct work *work, const char *prefix, const char *text, int text_length)
{
    int padding = work->width - text_length;
    for (const char *next = prefix; *next != '\0'; next++)
        padding--;

    if (!work->left_aligned && !work->zero_padded)
        put_repeated(work, ' ', padding);
    while (*prefix != '\0')
        put_character(work, *prefix++);
    if (!work->left_aligned && work->zero_padded)
        put_repeated(work, '0', padding);
    for (int i = 0; i < text_length; i++)
        put_character(work, text[i]);
    if (work->left_aligned)
        put_repeated(work, ' ', padding);
}

static void put_number(struct work *work, const char *prefix, uint64_t value, unsigned base)
{
    char digits[20]; /* 2^64 - 1 has twenty decimal digits */
    int first = (int)sizeof(digits);
    do {
        digits[--first] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put_padded(work, prefix, &digits[first], (int)sizeof(digits) - first);
}

static void put_string(struct work *work, const char *text)
{
    if (text == NULL)
        text = "(null)";
    int length = 0;
    while (length != work->precision && text[length] != '\0')
        length++;
    work->zero_padded = false;
    put_padded(work, "", text, length);
}

/* Take a number, and fill the bits above its size with zeros or with its sign. */
static uint64_t take_number(struct work *work, bool is_signed)
{
    unsigned unused_bits = 64 - 8 * work->number_size_bytes;
    uint64_t value =
        unused_bits == 0 ? va_arg(work->arguments, uint64_t) : va_arg(work->arguments, unsigned);
    value <<= unused_bits;
    return is_signed ? (uint64_t)((int64_t)value >> unused_bits) : value >> unused_bits;
}

static void put_integer(struct work *work, char letter)
{
    bool is_signed = letter == 'd' || letter == 'i';
    uint64_t value = take_number(work, is_signed);
    const char *prefix = "";
    if (is_signed && (int64_t)value < 0) {
        prefix = "-";
        value = 0 - value; /* unsigned, because -INT64_MIN has no room in an int64_t */
    }
    put_number(work, prefix, value, letter == 'x' ? 16 : 10);
}

static int parse_digits(struct work *work)
{
    int value = 0;
    for (; *work->format >= '0' && *work->format <= '9'; work->format++)
        value = value * 10 + (*work->format - '0');
    return value;
}

/* Read digits, or take the next argument for a '*'. */
static int parse_count(struct work *work)
{
    if (*work->format != '*')
        return parse_digits(work);
    work->format++;
    return va_arg(work->arguments, int);
}

/* Read the length modifier. */
static void parse_length(struct work *work)
{
    const char *next = work->format;
    unsigned size_bytes = sizeof(int);
    if (*next == 'h') {
        size_bytes = sizeof(short);
        next++;
    } else if (*next == 'z') {
        size_bytes = sizeof(size_t);
        next++;
    } else if (*next == 'l') {
        bool is_double = *++next == 'l';
        size_bytes = is_double ? sizeof(long long) : sizeof(long);
        next += is_double;
    }
    work->format = next;
    work->number_size_bytes = size_bytes;
}

static void parse_flags(struct work *work)
{
    work->left_aligned = work->zero_padded = false;
    for (; *work->format == '-' || *work->format == '0'; work->format++) {
        if (*work->format == '-')
            work->left_aligned = true;
        else
            work->zero_padded = true;
    }
}

/* Read flags, width, precision and length. Then work->format points to the conversion letter. */
static void parse_conversion(struct work *work)
{
    parse_flags(work);
    work->width = parse_count(work);
    if (work->width < 0) {
        work->left_aligned = true;
        work->width = -work->width;
    }
    work->precision = -1;
    if (*work->format == '.') {
        work->format++;
        work->precision = parse_count(work);
    }
    parse_length(work);
}

/* Return false, and put nothing, if the conversion letter is unknown. */
static bool put_conversion(struct work *work, char letter)
{
    char character = letter;
    switch (letter) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
        put_integer(work, letter);
        return true;
    case 'p':
        put_number(work, "0x", (uintptr_t)va_arg(work->arguments, void *), 16);
        return true;
    case 's':
        put_string(work, va_arg(work->arguments, const char *));
        return true;
    case 'c':
        character = (char)va_arg(work->arguments, int);
        put_padded(work, "", &character, 1);
        return true;
    case '%':
        put_character(work, '%');
        return true;
    default:
        return false;
    }
}

static void put_format(struct work *work)
{
    while (*work->format != '\0') {
        const char *start = work->format++;
        if (*start == '%') {
            parse_conversion(work);
            if (put_conversion(work, *work->format++))
                continue;
            work->format = start + 1; /* what is behind the '%' is text, too */
        }
        put_character(work, *start);
    }
}

int format_text_v(char *buffer, size_t capacity_bytes, const char *format, va_list arguments)
{
    struct work work = {.buffer = buffer, .capacity_bytes = capacity_bytes, .format = format};
    va_copy(work.arguments, arguments);
    put_format(&work);
    va_end(work.arguments);

    if (capacity_bytes > 0) {
        size_t last = work.length < capacity_bytes ? work.length : capacity_bytes - 1;
        buffer[last] = '\0';
    }
    return (int)work.length;
}

int format_text(char *buffer, size_t capacity_bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_v(buffer, capacity_bytes, format, arguments);
    va_end(arguments);
    return length;
}
