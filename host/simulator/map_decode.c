#include "host/simulator/map_decode.h"

#include <stdbool.h>
#include <stdint.h>

#include "host/simulator/text_cursor.h"

/* A text that is rewritten in place: `length` bytes are written, and `at` is read next. */
struct rewrite {
    char *text;
    size_t size_bytes;
    size_t at;
    size_t length;
};

static struct text_cursor rest_of(const struct rewrite *rewrite)
{
    return (struct text_cursor){rewrite->text + rewrite->at, rewrite->text + rewrite->size_bytes};
}

static void move_behind(struct rewrite *rewrite, struct text_cursor cursor)
{
    rewrite->at = (size_t)(cursor.at - rewrite->text);
}

static void put(struct rewrite *rewrite, char character)
{
    rewrite->text[rewrite->length++] = character;
}

/* Return the character at `offset` from the next one, or a line feed beyond the end. */
static char peek(const struct rewrite *rewrite, size_t offset)
{
    size_t left = rewrite->size_bytes - rewrite->at;
    return offset < left ? rewrite->text[rewrite->at + offset] : '\n';
}

/* --- Characters that look like ASCII ---------------------------------------------------------- */

/* Return the ASCII character that this one stands for in a row; '\0' for no character; -1 for any
 * other. */
static int plain_character(uint32_t code_point)
{
    if (code_point < 0x80)
        return (int)code_point;
    if (code_point == 0xa0 || (code_point >= 0x2000 && code_point <= 0x200a) ||
        code_point == 0x202f || code_point == 0x205f || code_point == 0x3000)
        return ' ';
    if ((code_point >= 0x2010 && code_point <= 0x2015) || code_point == 0x2212)
        return '-';
    if (code_point == 0x2018 || code_point == 0x2019)
        return '\'';
    if (code_point >= 0x201c && code_point <= 0x201e)
        return '"';
    if ((code_point >= 0x200b && code_point <= 0x200f) || code_point == 0xfeff ||
        code_point == 0xad || code_point == 0x2060)
        return '\0';
    if (code_point >= 0xff01 && code_point <= 0xff5e)
        return (int)(code_point - 0xff01 + '!');
    return -1;
}

static bool is_control(int character)
{
    return character < ' ' && character != '\t' && character != '\n';
}

/* Precondition: the original is longer than a byte. A character that is not ASCII becomes a
 * question mark.
 */
static void put_code_point(struct rewrite *rewrite, uint32_t code_point)
{
    int character = plain_character(code_point);
    if (character == '\n')
        put(rewrite, MAP_DECODE_SOFT_BREAK);
    else if (character < 0)
        put(rewrite, '?');
    else if (!is_control(character))
        put(rewrite, (char)character);
}

/* --- UTF-16 and marks ------------------------------------------------------------------------- */

static unsigned byte_at(const struct rewrite *rewrite, size_t offset)
{
    return (unsigned char)peek(rewrite, offset);
}

/* Without a mark, every second byte of ASCII in UTF-16 is 0. */
static bool has_zeros_at(const char *text, size_t size_bytes, size_t first)
{
    size_t looked_at = size_bytes < 64 ? size_bytes & ~(size_t)1 : 64;
    for (size_t i = first; i < looked_at; i += 2) {
        if (text[i] != '\0' || text[i ^ 1] == '\0')
            return false;
    }
    return looked_at >= 4;
}

/* Control characters stay for the next pass, which needs each CR beside its LF. */
static size_t decode_utf16(char *text, size_t size_bytes, bool is_big_endian)
{
    struct rewrite rewrite = {text, size_bytes, 0, 0};
    for (; rewrite.at + 1 < size_bytes; rewrite.at += 2) {
        uint32_t low = byte_at(&rewrite, is_big_endian ? 1 : 0);
        int character = plain_character(byte_at(&rewrite, is_big_endian ? 0 : 1) << 8 | low);
        if (character != '\0')
            put(&rewrite, character < 0 ? '?' : (char)character);
    }
    return rewrite.length;
}

static size_t decode_utf(char *text, size_t size_bytes)
{
    struct rewrite rewrite = {text, size_bytes, 0, 0};
    unsigned first = byte_at(&rewrite, 0), second = byte_at(&rewrite, 1);
    if (first == 0xff && second == 0xfe)
        return decode_utf16(text, size_bytes, false);
    if (first == 0xfe && second == 0xff)
        return decode_utf16(text, size_bytes, true);
    if (has_zeros_at(text, size_bytes, 1))
        return decode_utf16(text, size_bytes, false);
    if (has_zeros_at(text, size_bytes, 0))
        return decode_utf16(text, size_bytes, true);
    return size_bytes;
}

/* Return the length of a character in UTF-8; 0 if the bytes are not a character. */
static size_t utf8_length(const struct rewrite *rewrite, uint32_t *ret_code_point)
{
    unsigned first = byte_at(rewrite, 0);
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    uint32_t code_point = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte_at(rewrite, i) & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | (byte_at(rewrite, i) & 0x3f);
    }
    *ret_code_point = code_point;
    return length;
}

/* The code page of Windows has its own space, dashes and quotes. */
static char plain_byte(unsigned byte)
{
    switch (byte) {
    case 0xa0:
        return ' ';
    case 0x96:
    case 0x97:
        return '-';
    case 0x91:
    case 0x92:
        return '\'';
    case 0x93:
    case 0x94:
        return '"';
    default:
        return (char)byte;
    }
}

static void decode_utf8_character(struct rewrite *rewrite)
{
    uint32_t code_point;
    size_t length = utf8_length(rewrite, &code_point);
    if (length == 0) {
        put(rewrite, plain_byte(byte_at(rewrite, 0)));
        rewrite->at++;
        return;
    }
    int character = plain_character(code_point);
    for (size_t i = 0; i < length && character < 0; i++)
        put(rewrite, peek(rewrite, i));
    if (character > 0)
        put(rewrite, (char)character);
    rewrite->at += length;
}

/* --- A terminal's control characters ---------------------------------------------------------- */

/* Behind ESC: a control sequence, a title or a character set (ECMA-48, section 5). */
static void skip_escape_sequence(struct rewrite *rewrite)
{
    char kind = peek(rewrite, 0);
    if (kind == '\n')
        return;
    rewrite->at++;
    if (kind == '(' || kind == ')') {
        rewrite->at += peek(rewrite, 0) == '\n' ? 0 : 1;
    } else if (kind == ']') {
        while (peek(rewrite, 0) != '\n' && peek(rewrite, 0) != '\a' && peek(rewrite, 0) != 0x1b)
            rewrite->at++;
    } else if (kind == '[') {
        while (peek(rewrite, 0) >= 0x20 && peek(rewrite, 0) < 0x40)
            rewrite->at++;
        rewrite->at += peek(rewrite, 0) == '\n' ? 0 : 1;
    }
}

/* CR LF, LF CR and CR CR LF are one line end. A CR between other characters moves the cursor. */
static void put_carriage_return(struct rewrite *rewrite)
{
    bool is_behind_line_end = rewrite->length == 0 || rewrite->text[rewrite->length - 1] == '\n';
    if (!is_behind_line_end && peek(rewrite, 0) != '\n' && peek(rewrite, 0) != '\r')
        put(rewrite, MAP_DECODE_SOFT_BREAK);
}

static void decode_control(struct rewrite *rewrite)
{
    char character = rewrite->text[rewrite->at++];
    if (character == 0x1b)
        skip_escape_sequence(rewrite);
    else if (character == '\r')
        put_carriage_return(rewrite);
    else if (!is_control((unsigned char)character))
        put(rewrite, character);
}

/* --- Quoted-printable (RFC 2045, section 6.7) ------------------------------------------------- */

struct quoted_printable {
    struct rewrite rewrite;
    size_t joined_count; /* soft line ends of the file since the last line end */
};

static bool take_hex_pair(struct text_cursor *cursor, unsigned *ret_byte)
{
    struct text_cursor pair = *cursor;
    uint64_t number;
    if (pair.end - pair.at < 2)
        return false;
    pair.end = pair.at + 2;
    if (*pair.at == '0' && (pair.at[1] == 'x' || pair.at[1] == 'X'))
        return false;
    if (!text_cursor_take_hex(&pair, &number) || !text_cursor_at_end(&pair))
        return false;
    cursor->at = pair.at;
    *ret_byte = (unsigned)number;
    return true;
}

/* The end of a line behind "=", also with blanks from a mailer. */
static bool take_soft_line_end(struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    text_cursor_skip_blanks(&rest);
    if (!text_cursor_at_end(&rest) && *rest.at != '\n')
        return false;
    rest.at += text_cursor_at_end(&rest) ? 0 : 1;
    *cursor = rest;
    return true;
}

/* An encoder encodes only an =, a blank at a line's end, a special character, or a byte that is not
 * ASCII. */
static bool is_encoded_for_a_reason(unsigned byte)
{
    const char character = (char)byte;
    struct text_cursor cursor = {&character, &character + 1};
    return byte == '\r' || byte == '\n' ||
           (!is_control((int)byte) && (byte >= 0x80 || text_cursor_at_word_end(&cursor)));
}

/* Without the header of a mail, every = must belong to quoted-printable text. */
static bool looks_quoted_printable(const char *text, size_t size_bytes)
{
    struct text_cursor cursor = {text, text + size_bytes};
    unsigned byte;
    bool found = false;
    while (text_cursor_take_through(&cursor, "=")) {
        bool is_pair = take_hex_pair(&cursor, &byte);
        if (is_pair ? !is_encoded_for_a_reason(byte) : !take_soft_line_end(&cursor))
            return false;
        found = true;
    }
    return found;
}

#define ENCODING_HEADER "Content-Transfer-Encoding:"

static bool has_encoding_header(const char *text, size_t size_bytes)
{
    struct text_cursor cursor = {text, text + size_bytes};
    return text_cursor_take_through(&cursor, ENCODING_HEADER);
}

/* A mail has the header before each of its parts. */
static void note_encoding(const struct rewrite *rewrite, bool *is_quoted)
{
    struct text_cursor cursor = rest_of(rewrite);
    if (!text_cursor_take(&cursor, ENCODING_HEADER))
        return;
    text_cursor_skip_blanks(&cursor);
    *is_quoted = text_cursor_take(&cursor, "quoted-printable");
}

static void decode_equals_sign(struct quoted_printable *quoted)
{
    struct rewrite *rewrite = &quoted->rewrite;
    struct text_cursor cursor = rest_of(rewrite);
    unsigned byte;
    cursor.at++;
    if (take_hex_pair(&cursor, &byte)) {
        if (byte == '\n')
            put(rewrite, MAP_DECODE_SOFT_BREAK);
        else if (!is_control((int)byte))
            put(rewrite, (char)byte);
    } else if (take_soft_line_end(&cursor)) {
        quoted->joined_count++;
    } else {
        put(rewrite, '=');
    }
    move_behind(rewrite, cursor);
}

static void put_joined(struct quoted_printable *quoted)
{
    for (; quoted->joined_count > 0; quoted->joined_count--)
        put(&quoted->rewrite, MAP_DECODE_JOINED);
}

static size_t decode_quoted_printable(char *text, size_t size_bytes)
{
    struct quoted_printable quoted = {{text, size_bytes, 0, 0}, 0};
    struct rewrite *rewrite = &quoted.rewrite;
    bool has_header = has_encoding_header(text, size_bytes);
    bool is_quoted = !has_header && looks_quoted_printable(text, size_bytes);
    bool at_line_start = true;
    while (rewrite->at < size_bytes) {
        if (at_line_start && has_header)
            note_encoding(rewrite, &is_quoted);
        at_line_start = peek(rewrite, 0) == '\n';
        if (at_line_start)
            put_joined(&quoted);
        if (is_quoted && peek(rewrite, 0) == '=')
            decode_equals_sign(&quoted);
        else
            put(rewrite, rewrite->text[rewrite->at++]);
    }
    put_joined(&quoted);
    return rewrite->length;
}

/* --- HTML ------------------------------------------------------------------------------------- */

#define TAG_BYTES_MAX 300

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* <6> is a log level of a kernel, not a tag. */
static bool take_tag(struct text_cursor *cursor, struct text_cursor *ret_name)
{
    struct text_cursor tag = *cursor;
    tag.at++;
    (void)text_cursor_take(&tag, "/");
    if (tag.end - tag.at > TAG_BYTES_MAX)
        tag.end = tag.at + TAG_BYTES_MAX;
    *ret_name = tag;
    if (text_cursor_at_end(&tag) || !is_letter(*tag.at))
        return false;
    while (ret_name->end = tag.at, !text_cursor_at_end(&tag) && is_letter(*tag.at))
        tag.at++;
    for (; !text_cursor_at_end(&tag) && *tag.at != '\n' && *tag.at != '<'; tag.at++) {
        if (*tag.at == '>') {
            cursor->at = tag.at + 1;
            return true;
        }
    }
    return false;
}

static bool name_is_one_of(struct text_cursor name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (text_cursor_is(name, *names))
            return true;
    }
    return false;
}

static bool decode_tag(struct rewrite *rewrite)
{
    static const char *const BREAKS[] = {"br", "p", "div", "tr", "li", "pre", "hr", NULL};
    static const char *const CELLS[] = {"td", "th", NULL};
    struct text_cursor cursor = rest_of(rewrite);
    struct text_cursor name;
    if (!take_tag(&cursor, &name))
        return false;
    if (name_is_one_of(name, BREAKS))
        put(rewrite, MAP_DECODE_SOFT_BREAK);
    else if (name_is_one_of(name, CELLS))
        put(rewrite, ' ');
    move_behind(rewrite, cursor);
    return true;
}

static bool take_numeric_reference(struct text_cursor *cursor, uint64_t *ret_code_point)
{
    if (!text_cursor_take(cursor, "&#"))
        return false;
    bool is_hexadecimal = text_cursor_take(cursor, "x");
    return is_hexadecimal ? text_cursor_take_hex(cursor, ret_code_point)
                          : text_cursor_take_decimal(cursor, ret_code_point);
}

static bool take_named_reference(struct text_cursor *cursor, uint64_t *ret_code_point)
{
    static const struct {
        const char *name;
        uint16_t code_point;
    } NAMES[] = {
        {"&lt", '<'},       {"&gt", '>'},     {"&quot", '"'},   {"&apos", '\''},  {"&nbsp", ' '},
        {"&ensp", ' '},     {"&emsp", ' '},   {"&thinsp", ' '}, {"&ndash", '-'},  {"&mdash", '-'},
        {"&minus", '-'},    {"&hyphen", '-'}, {"&shy", 0xad},   {"&lbrack", '['}, {"&rbrack", ']'},
        {"&lsqb", '['},     {"&rsqb", ']'},   {"&lpar", '('},   {"&rpar", ')'},   {"&equals", '='},
        {"&colon", ':'},    {"&comma", ','},  {"&num", '#'},    {"&vert", '|'},   {"&grave", '`'},
        {"&NewLine", '\n'}, {"&Tab", '\t'},
    };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (text_cursor_take(cursor, NAMES[i].name)) {
            *ret_code_point = NAMES[i].code_point;
            return true;
        }
    }
    return false;
}

static bool decode_reference(struct rewrite *rewrite)
{
    struct text_cursor cursor = rest_of(rewrite);
    uint64_t code_point;
    if (text_cursor_take(&cursor, "&amp;")) {
        /* A reference that was escaped twice is then another reference, which begins at this &. */
        cursor.at--;
        move_behind(rewrite, cursor);
        rewrite->text[rewrite->at] = '&';
        return true;
    }
    if (!take_numeric_reference(&cursor, &code_point) &&
        !take_named_reference(&cursor, &code_point))
        return false;
    if (!text_cursor_take(&cursor, ";") || code_point > UINT32_MAX)
        return false;
    put_code_point(rewrite, (uint32_t)code_point);
    move_behind(rewrite, cursor);
    return true;
}

static void decode_html_character(struct rewrite *rewrite)
{
    char character = peek(rewrite, 0);
    if ((character == '<' && decode_tag(rewrite)) ||
        (character == '&' && decode_reference(rewrite)))
        return;
    put(rewrite, rewrite->text[rewrite->at++]);
}

/* --- Escapes that are spelled out ------------------------------------------------------------- */

/* A colour behind an escape character that a daemon or a terminal has written as text. */
static bool take_spelled_colour(struct text_cursor *cursor)
{
    static const char *const SPELLINGS[] = {"^[[",  "#033[",    "\\033[",  "\\x1b[",
                                            "\\e[", "\\u001b[", "\\u{1b}["};
    for (size_t i = 0; i < sizeof(SPELLINGS) / sizeof(SPELLINGS[0]); i++) {
        struct text_cursor rest = *cursor;
        if (!text_cursor_take(&rest, SPELLINGS[i]))
            continue;
        text_cursor_skip_any(&rest, "0123456789;?");
        if (text_cursor_at_end(&rest) || !is_letter(*rest.at))
            return false;
        cursor->at = rest.at + 1;
        return true;
    }
    return false;
}

/* \u003c, which is < in JSON. */
static bool take_unicode_escape(struct text_cursor *cursor, uint32_t *ret_code_point)
{
    struct text_cursor rest = *cursor;
    unsigned high, low;
    if (!text_cursor_take(&rest, "\\u") || !take_hex_pair(&rest, &high) ||
        !take_hex_pair(&rest, &low))
        return false;
    *ret_code_point = high << 8 | low;
    *cursor = rest;
    return true;
}

static bool take_spelled_character(struct text_cursor *cursor, char *ret_character)
{
    static const struct {
        const char *spelling;
        char character; /* '\0': nothing */
    } SPELLINGS[] = {
        {"#012", MAP_DECODE_SOFT_BREAK},
        {"\\n", MAP_DECODE_SOFT_BREAK},
        {"\\x0a", MAP_DECODE_SOFT_BREAK},
        {"#011", '\t'},
        {"\\t", '\t'},
        {"#015", '\0'},
        {"\\r", '\0'},
        {"\\x0d", '\0'},
        {"\\\"", '"'},
        {"\\/", '/'},
    };
    for (size_t i = 0; i < sizeof(SPELLINGS) / sizeof(SPELLINGS[0]); i++) {
        if (text_cursor_take(cursor, SPELLINGS[i].spelling)) {
            *ret_character = SPELLINGS[i].character;
            return true;
        }
    }
    return false;
}

static void decode_escape(struct rewrite *rewrite)
{
    struct text_cursor cursor = rest_of(rewrite);
    uint32_t code_point;
    char character = peek(rewrite, 0);
    if (character != '#' && character != '\\' && character != '^') {
        put(rewrite, character);
        rewrite->at++;
    } else if (take_spelled_colour(&cursor)) {
        move_behind(rewrite, cursor);
    } else if (take_unicode_escape(&cursor, &code_point)) {
        put_code_point(rewrite, code_point);
        move_behind(rewrite, cursor);
    } else if (take_spelled_character(&cursor, &character)) {
        if (character != '\0')
            put(rewrite, character);
        move_behind(rewrite, cursor);
    } else {
        put(rewrite, rewrite->text[rewrite->at++]);
    }
}

/* --- The whole text --------------------------------------------------------------------------- */

static size_t rewrite_all(char *text, size_t size_bytes, void (*step)(struct rewrite *rewrite))
{
    struct rewrite rewrite = {text, size_bytes, 0, 0};
    while (rewrite.at < rewrite.size_bytes)
        step(&rewrite);
    return rewrite.length;
}

size_t map_decode(char *text, size_t size_bytes)
{
    size_bytes = decode_utf(text, size_bytes);
    size_bytes = rewrite_all(text, size_bytes, decode_control);
    size_bytes = decode_quoted_printable(text, size_bytes);
    size_bytes = rewrite_all(text, size_bytes, decode_html_character);
    size_bytes = rewrite_all(text, size_bytes, decode_utf8_character);
    return rewrite_all(text, size_bytes, decode_escape);
}
