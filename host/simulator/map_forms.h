/*
 * map_forms.h - the forms of a memory map, and the properties of each.
 */
#ifndef HOST_SIMULATOR_MAP_FORMS_H
#define HOST_SIMULATOR_MAP_FORMS_H

#include <stdbool.h>

#include "host/simulator/map_lines.h"
#include "host/simulator/map_text.h"

struct map_form {
    const char *name;
    const char *mark;     /* for `find`; NULL if it needs none */
    map_lines_find *find; /* NULL: there is nothing to find it by */
    map_lines_read *read;
    bool is_weak;     /* a line that looks like a row and cannot be read is ignored */
    bool is_sorted;   /* the list's addresses never go back */
    const char *note; /* a warning about missing facts; NULL: none is missing */
};

/* The form's entry. For every value but MAP_TEXT_NONE and MAP_TEXT_FORM_COUNT. */
const struct map_form *map_form_of(enum map_text_form form);

/* The form of the row that the line has, the cursor then at its first character; MAP_TEXT_NONE if
 * it has none. */
enum map_text_form map_form_find(struct text_cursor *cursor);

#endif
