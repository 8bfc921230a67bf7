/*
 * handoff_text.h - check texts of a fixed capacity from a loader.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_TEXT_H
#define KERNEL_HANDOFF_HANDOFF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Return true if there is a NUL within the capacity. */
static inline bool handoff_text_has_end(const char *text, size_t capacity_bytes)
{
    for (size_t i = 0; i < capacity_bytes; i++) {
        if (text[i] == '\0')
            return true;
    }
    return false;
}

#endif
