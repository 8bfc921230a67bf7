#include "kernel/core/nearest.h"

#include <stdint.h>

#include "shared/memory.h"
#include "shared/text/text.h"

#define CLOSE_EDIT_LIMIT       3
#define CONTAINED_LENGTH_LEAST 3
#define CONTAINED_DISTANCE     2

static char small_letter(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

static bool same_letter(char a, char b)
{
    return small_letter(a) == small_letter(b);
}

static bool begins_with(struct piece text, size_t from, struct piece part)
{
    for (size_t i = 0; i < part.length; i++) {
        if (!same_letter(text.text[from + i], part.text[i]))
            return false;
    }
    return true;
}

static bool contains(struct piece text, struct piece part)
{
    if (part.length < CONTAINED_LENGTH_LEAST)
        return false;
    for (size_t from = 0; from + part.length <= text.length; from++) {
        if (begins_with(text, from, part))
            return true;
    }
    return false;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows of the table in which row i, column k is the distance of the first i characters of one text
 * and the first k of the other. Three of them are enough (Damerau, "A technique for computer
 * detection and correction of spelling errors", Communications of the ACM, 1964, in the restricted
 * form that edits no place twice). */
struct rows {
    size_t before_last[NEAREST_LENGTH_LIMIT + 1];
    size_t last[NEAREST_LENGTH_LIMIT + 1];
    size_t current[NEAREST_LENGTH_LIMIT + 1];
};

static void fill_row(struct rows *rows, struct piece a, struct piece b, size_t i)
{
    rows->current[0] = i;
    for (size_t k = 1; k <= b.length; k++) {
        bool same = same_letter(a.text[i - 1], b.text[k - 1]);
        size_t edits = rows->last[k - 1] + (same ? 0 : 1);
        edits = least(edits, least(rows->last[k], rows->current[k - 1]) + 1);
        if (i > 1 && k > 1 && same_letter(a.text[i - 1], b.text[k - 2]) &&
            same_letter(a.text[i - 2], b.text[k - 1]))
            edits = least(edits, rows->before_last[k - 2] + 1);
        rows->current[k] = edits;
    }
}

static size_t edit_distance(struct piece a, struct piece b)
{
    struct rows rows;
    for (size_t k = 0; k <= b.length; k++)
        rows.last[k] = k;
    for (size_t i = 1; i <= a.length; i++) {
        fill_row(&rows, a, b, i);
        memcpy(rows.before_last, rows.last, sizeof rows.last);
        memcpy(rows.last, rows.current, sizeof rows.current);
    }
    return rows.last[b.length];
}

size_t nearest_distance(struct piece typed, const char *name)
{
    struct piece known = {name, least(text_length(name), NEAREST_LENGTH_LIMIT)};
    size_t left_out = typed.length - least(typed.length, NEAREST_LENGTH_LIMIT);
    typed.length -= left_out;
    size_t distance = edit_distance(typed, known) + left_out;
    if (distance > CONTAINED_DISTANCE && (contains(known, typed) || contains(typed, known)))
        return CONTAINED_DISTANCE;
    return distance;
}

struct nearest nearest_begin(struct piece typed)
{
    return (struct nearest){.typed = typed, .name = NULL, .distance = SIZE_MAX};
}

void nearest_consider(struct nearest *nearest, const char *name)
{
    size_t distance = nearest_distance(nearest->typed, name);
    if (nearest->name != NULL && distance >= nearest->distance)
        return;
    nearest->name = name;
    nearest->distance = distance;
}

bool nearest_is_close(const struct nearest *nearest)
{
    return nearest->name != NULL && nearest->distance <= CLOSE_EDIT_LIMIT &&
           nearest->distance * 2 <= nearest->typed.length;
}
