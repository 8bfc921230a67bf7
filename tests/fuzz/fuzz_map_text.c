/* A memory map as text, in any form. Any bytes give rows, or an error that names a line. The rows,
 * written as data rows and read again, are the same. */
#include <inttypes.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "host/simulator/map_decode.h"
#include "host/simulator/map_text.h"

#define ROW_TEXT_BYTES 80

static void require_sound_error(const struct map_text_note *error, size_t line_limit)
{
    require(memchr(error->text, '\0', sizeof(error->text)) != NULL);
    require(error->text[0] != '\0');
    require(error->line <= line_limit);
}

static void require_read_back(const struct memory_map_descriptor *rows, size_t row_count)
{
    char *text = malloc(row_count * ROW_TEXT_BYTES);
    struct memory_map_descriptor *copies = calloc(row_count, sizeof(*copies));
    struct map_text map;
    struct map_text_note error;
    size_t length = 0;
    require(text != NULL && copies != NULL);
    for (size_t i = 0; i < row_count; i++)
        length += (size_t)snprintf(
            text + length, ROW_TEXT_BYTES, "%" PRIu32 " 0x%" PRIx64 " %" PRIu64 " 0x%" PRIx64 "\n",
            rows[i].type, rows[i].physical_start, rows[i].page_count, rows[i].attribute);
    require(map_text_parse(text, length, 0, copies, row_count, &map, &error));
    require(map.form == MAP_TEXT_ROWS && map.row_count == row_count);
    require(memcmp(rows, copies, row_count * sizeof(*copies)) == 0);
    free(text);
    free(copies);
}

static void require_sound_map(const struct map_text *map, size_t row_limit, size_t line_limit)
{
    require(map->form != MAP_TEXT_NONE && map->note_count <= MAP_TEXT_NOTE_LIMIT);
    require(map->row_count > 0 && map->row_count <= row_limit);
    require(map->framebuffer.start.value <= map->framebuffer.end.value);
    require(map->map_count > 0 && map->map_count <= MAP_TEXT_MAP_LIMIT);
    require(map->map_number > 0 && map->map_number <= map->map_count);
    require(map->maps[map->map_number - 1].form == map->form);
    for (size_t i = 0; i < map->map_count; i++)
        require(map->maps[i].line > 0 && map->maps[i].line <= line_limit);
}

/* Read every map of the text. Then try to read a map that does not exist. */
static void require_maps(const char *text, size_t length)
{
    size_t limit = map_text_row_limit(text, length);
    size_t line_limit = map_text_line_limit(text, length);
    struct memory_map_descriptor *rows = calloc(limit, sizeof(*rows));
    size_t map_count = 1;
    require(rows != NULL);
    for (size_t number = 0; number <= map_count + 1; number++) {
        struct map_text map;
        struct map_text_note error;
        if (map_text_parse(text, length, number, rows, limit, &map, &error)) {
            require_sound_map(&map, limit, line_limit);
            require(number == 0 || map.map_number == number);
            map_count = map.map_count;
            require_read_back(rows, map.row_count);
        } else {
            require_sound_error(&error, line_limit);
        }
    }
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    char *text = malloc(size_bytes > 0 ? size_bytes : 1); /* ASan finds a read past it */
    require(text != NULL);
    if (size_bytes > 0)
        memcpy(text, bytes, size_bytes);
    size_t length = map_decode(text, size_bytes);
    require(length <= size_bytes);
    /* The bytes after the decoded text are freed, so that ASan finds a read of them. */
    text = realloc(text, length > 0 ? length : 1);
    require(text != NULL);
    require_maps(text, length);
    free(text);
    return 0;
}
