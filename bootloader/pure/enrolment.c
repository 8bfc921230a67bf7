#include "bootloader/pure/enrolment.h"

/* Behind the digits: a blank, and a blank or a star for the mode in which sha256sum read. */
#define PATH_OFFSET (SHA256_DIGIT_COUNT + 2)

struct line {
    struct sha256 hash;
    struct piece path;
};

/* Take lines off the list until one has the right form. Return false at the end. */
static bool next_line(struct piece *list, struct line *ret_line)
{
    while (list->length > 0) {
        struct piece text = *list;
        struct piece rest = {list->text + list->length, 0};
        (void)piece_split(*list, '\n', &text, &rest);
        *list = rest;
        if (text.length > PATH_OFFSET &&
            sha256_parse((struct piece){text.text, SHA256_DIGIT_COUNT}, &ret_line->hash)) {
            ret_line->path = (struct piece){text.text + PATH_OFFSET, text.length - PATH_OFFSET};
            return true;
        }
    }
    return false;
}

static char folded(char character)
{
    if (character == '/')
        return '\\';
    return character >= 'A' && character <= 'Z' ? (char)(character + 'a' - 'A') : character;
}

static bool is_path(struct piece written, const char *path)
{
    if (*path == '\\')
        path++;
    for (size_t i = 0; i < written.length; i++, path++) {
        if (*path == '\0' || folded(*path) != folded(written.text[i]))
            return false;
    }
    return *path == '\0';
}

bool enrolment_has(struct piece list, const struct sha256 *hash)
{
    struct line line;
    while (next_line(&list, &line)) {
        if (sha256_equals(&line.hash, hash))
            return true;
    }
    return false;
}

bool enrolment_find(struct piece list, const char *path, struct sha256 *ret_hash)
{
    struct line line;
    while (next_line(&list, &line)) {
        if (!is_path(line.path, path))
            continue;
        *ret_hash = line.hash;
        return true;
    }
    return false;
}
