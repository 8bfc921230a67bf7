/*
 * text_cursor.h - take a line apart from left to right.
 *
 * Every `take` either moves the cursor behind what it took and returns true, or leaves the cursor
 * where it was and returns false.
 */
#ifndef HOST_SIMULATOR_TEXT_CURSOR_H
#define HOST_SIMULATOR_TEXT_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rest of a line: [at, end). */
struct text_cursor {
    const char *at;
    const char *end;
};

bool text_cursor_at_end(const struct text_cursor *cursor);

/* Blanks and tabs. Always succeeds, also with none. */
void text_cursor_skip_blanks(struct text_cursor *cursor);

/* Any of these characters, any number of them. */
void text_cursor_skip_any(struct text_cursor *cursor, const char *characters);

/* True at the end of the text and before what is neither letter nor digit nor underscore. */
bool text_cursor_at_word_end(const struct text_cursor *cursor);

/* Exactly this text; letters of either case are equal, and so are a blank and any number of blanks
 * and tabs. */
bool text_cursor_take(struct text_cursor *cursor, const char *text);

/* The same, of a row that a mailer may have wrapped: where the text breaks off within `text`, the
 * cursor is at its end afterwards, and false is returned. */
bool text_cursor_expect(struct text_cursor *cursor, const char *text);

/* Everything up to and including the first `text`. */
bool text_cursor_take_through(struct text_cursor *cursor, const char *text);

/* Hexadecimal digits, with or without 0x. False also for a number of 2^64 and more. */
bool text_cursor_take_hex(struct text_cursor *cursor, uint64_t *ret_number);

/* As text_cursor_take_hex(); a text that ends behind 0x is taken to its end, and false returned. */
bool text_cursor_expect_hex(struct text_cursor *cursor, uint64_t *ret_number);

/* As text_cursor_take_hex(), of so many digits at least, and nothing of a word before or behind
 * them. `line` begins where the line does. */
bool text_cursor_take_long_hex(struct text_cursor *cursor, struct text_cursor line,
                               unsigned digit_count_min, uint64_t *ret_number);

/* On to the next word that begins with a hexadecimal digit; the cursor's own place counts. `line`
 * begins where the line does. False if there is no such word. */
bool text_cursor_next_number(struct text_cursor *cursor, struct text_cursor line);

/* Decimal digits. False also for a number of 2^64 and more. */
bool text_cursor_take_decimal(struct text_cursor *cursor, uint64_t *ret_number);

/* Decimal digits in groups of three, "65,664". */
bool text_cursor_take_grouped(struct text_cursor *cursor, uint64_t *ret_number);

/* Decimal, or hexadecimal with 0x. */
bool text_cursor_take_number(struct text_cursor *cursor, uint64_t *ret_number);

/* The characters before `stop`, which must come; the cursor ends behind `stop`. */
bool text_cursor_take_until(struct text_cursor *cursor, char stop, struct text_cursor *ret_text);

/* True if the text is `text`, blanks around it and the case of letters apart. */
bool text_cursor_is(struct text_cursor cursor, const char *text);

#endif
