/*
 * piece.h - a piece of a longer text, for the parsers of handoff.conf and of the command line.
 *
 * Pure. A piece points into a text of the caller, and does not end with a NUL.
 */
#ifndef SHARED_TEXT_PIECE_H
#define SHARED_TEXT_PIECE_H

#include <stdbool.h>
#include <stddef.h>

struct piece {
    const char *text;
    size_t length;
};

/* Return true for space and tab, which separate words and surround values. */
static inline bool piece_is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* Remove the blanks at both ends. */
struct piece piece_trim(struct piece piece);

/* Return true if the piece has the same characters as `text`, which ends with a NUL. */
bool piece_equals(struct piece piece, const char *text);

/* Return true if the piece ends with `ending`, which has lower-case letters. Upper and lower case of
 * the piece are the same. */
bool piece_ends_with(struct piece piece, const char *ending);

/* Split the piece at the first `separator`, which belongs to neither part. Return false, and write
 * nothing, if the piece has no separator. */
bool piece_split(struct piece piece, char separator, struct piece *ret_before,
                 struct piece *ret_after) __attribute__((warn_unused_result));

/* Take the next line off the text, without its end (LF or CRLF). */
struct piece piece_next_line(struct piece *text);

#endif
