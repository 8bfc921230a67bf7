/*
 * text_cursor.h - parse a line from left to right. Every `take` either moves the cursor behind the
 * text that it took and returns true, or does not move the cursor and returns false.
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

/* Take blanks and tabs, if there are any. */
void text_cursor_skip_blanks(struct text_cursor *cursor);

/* Take any number of these characters. */
void text_cursor_skip_any(struct text_cursor *cursor, const char *characters);

/* Return true at the end of the text, and before a character that is not a letter, a digit or an
 * underscore. */
bool text_cursor_at_word_end(const struct text_cursor *cursor);

/* Take exactly this text. Upper and lower case are equal, and a blank stands for any number of
 * blanks and tabs. */
bool text_cursor_take(struct text_cursor *cursor, const char *text);

/* The same, for a row that a mailer may have wrapped. If the line ends inside of `text`, move the
 * cursor to the line's end and return false. */
bool text_cursor_expect(struct text_cursor *cursor, const char *text);

/* Take everything up to the first `text`, and this text, too. */
bool text_cursor_take_through(struct text_cursor *cursor, const char *text);

/* Take hexadecimal digits, with or without 0x. Return false also for a number of 2^64 or more. */
bool text_cursor_take_hex(struct text_cursor *cursor, uint64_t *ret_number);

/* The same as text_cursor_take_hex(). If the text ends behind 0x, move to its end and return
 * false. */
bool text_cursor_expect_hex(struct text_cursor *cursor, uint64_t *ret_number);

/* The same as text_cursor_take_hex(), with at least this number of digits, and without a letter
 * before or behind them. `line` is the start of the line. */
bool text_cursor_take_long_hex(struct text_cursor *cursor, struct text_cursor line,
                               unsigned digit_count_min, uint64_t *ret_number);

/* Move to the next word that begins with a hexadecimal digit; it may begin at the cursor. `line` is
 * the start of the line. Return false if there is no such word. */
bool text_cursor_next_number(struct text_cursor *cursor, struct text_cursor line);

/* Take decimal digits. Return false also for a number of 2^64 or more. */
bool text_cursor_take_decimal(struct text_cursor *cursor, uint64_t *ret_number);

/* Take decimal digits in groups of three, "65,664". */
bool text_cursor_take_grouped(struct text_cursor *cursor, uint64_t *ret_number);

/* Take a decimal number, or a hexadecimal number with 0x. */
bool text_cursor_take_number(struct text_cursor *cursor, uint64_t *ret_number);

/* Take the characters before `stop`, and `stop` itself. Return false if `stop` does not follow. */
bool text_cursor_take_until(struct text_cursor *cursor, char stop, struct text_cursor *ret_text);

/* Return true if the texts are equal, without blanks around them and without regard to case. */
bool text_cursor_is(struct text_cursor cursor, const char *text);

#endif
