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
    const char *mark;     /* for `find`; NULL if it needs no mark */
    map_lines_find *find; /* NULL: it has no mark */
    map_lines_read *read;
    bool is_weak;     /* a line that looks like a row but cannot be read is ignored */
    bool is_sorted;   /* the list's addresses never go back */
    const char *note; /* a warning about missing facts; NULL: no fact is missing */
};

/* Return the form's entry. Precondition: the value is not MAP_TEXT_NONE or MAP_TEXT_FORM_COUNT. */
const struct map_form *map_form_of(enum map_text_form form);

/* Return the form of the row in the line, and move the cursor to the row's first character. Return
 * MAP_TEXT_NONE if the line has no row. */
enum map_text_form map_form_find(struct text_cursor *cursor);

#endif
