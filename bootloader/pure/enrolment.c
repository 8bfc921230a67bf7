#include "bootloader/pure/enrolment.h"

/* Behind the digits: a blank, and a blank or a star for the mode in which sha256sum read. */
#define PATH_OFFSET (SHA256_DIGIT_COUNT + 2)

/* Take lines off the list until one has the right form. Return false at the end. */
static bool next_line(struct piece *list, struct sha256 *ret_hash, struct piece *ret_path)
{
    while (list->length > 0) {
        struct piece line = piece_next_line(list);
        if (line.length > PATH_OFFSET &&
            sha256_parse((struct piece){line.text, SHA256_DIGIT_COUNT}, ret_hash)) {
            *ret_path = (struct piece){line.text + PATH_OFFSET, line.length - PATH_OFFSET};
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
    struct sha256 found;
    struct piece path;
    while (next_line(&list, &found, &path)) {
        if (sha256_equals(&found, hash))
            return true;
    }
    return false;
}

bool enrolment_find(struct piece list, const char *path, struct sha256 *ret_hash)
{
    struct piece written;
    while (next_line(&list, ret_hash, &written)) {
        if (is_path(written, path))
            return true;
    }
    return false;
}
