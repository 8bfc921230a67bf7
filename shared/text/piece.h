/*
 * piece.h - a piece of a longer text, for the parsers of handoff.conf and of the command line.
 *
 * Pure. A piece points into a text that somebody else keeps, and is not NUL-terminated.
 */
#ifndef SHARED_TEXT_PIECE_H
#define SHARED_TEXT_PIECE_H

#include <stdbool.h>
#include <stddef.h>

struct piece {
    const char *text;
    size_t length;
};

/* Space and tab: what separates words and surrounds values. */
static inline bool piece_is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* Compare with a NUL-terminated text. */
bool piece_equals(struct piece piece, const char *text);

/* Split at the first `separator`, which belongs to neither part. False, and nothing written, if
 * there is none. */
bool piece_split(struct piece piece, char separator, struct piece *ret_before,
                 struct piece *ret_after) __attribute__((warn_unused_result));

#endif
