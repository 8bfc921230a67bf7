/*
 * text.h - the string functions that loader and kernel need.
 */
#ifndef SHARED_TEXT_TEXT_H
#define SHARED_TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Return the number of bytes before the NUL. */
static inline size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static inline bool text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#endif
