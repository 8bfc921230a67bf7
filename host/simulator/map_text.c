#include "host/simulator/map_text.h"

#include "shared/text/format.h"
#include "host/simulator/map_decode.h"
#include "host/simulator/map_forms.h"
#include "host/simulator/map_reader.h"

const char *map_text_form_name(enum map_text_form form)
{
    return form > MAP_TEXT_NONE && form < MAP_TEXT_FORM_COUNT ? map_form_of(form)->name : "none";
}

const char *map_text_known_forms(void)
{
    return "The known forms are dmesg of Linux (efi: mem, BIOS-e820 and similar lines), memmap of "
           "the "
           "UEFI shell, lsefimmap and lsmmap of GRUB, Xen's RAM map, /sys/firmware/memmap, "
           "/proc/iomem, [region] lines of this kernel, and data rows; to make a good file, run "
           "`sudo dmesg > map.txt` on Linux (best after a boot with efi=debug), or "
           "`memmap > map.txt` in the UEFI shell";
}

/* The length of the shortest row, with or without its line end: a data row, or a range in
 * brackets. */
#define ROW_BYTES_MIN 7

size_t map_text_row_limit(const char *text, size_t size_bytes)
{
    (void)text;
    return size_bytes / ROW_BYTES_MIN + 1;
}

size_t map_text_line_limit(const char *text, size_t size_bytes)
{
    size_t line_count = 1;
    for (size_t i = 0; i < size_bytes; i++)
        line_count += text[i] == '\n' || text[i] == MAP_DECODE_JOINED ? 1 : 0;
    return line_count;
}

/* Find the maps. Search for data rows only if there is no other form. */
static void survey(struct map_reader *reader, const char *text, size_t size_bytes)
{
    *reader = (struct map_reader){0};
    map_reader_begin(reader, text, size_bytes);
    (void)map_reader_run(reader);
    if (reader->map.map_count > 0)
        return;
    *reader = (struct map_reader){.reads_data_rows = true};
    map_reader_begin(reader, text, size_bytes);
    (void)map_reader_run(reader);
}

/* Return the first map of the form with the most facts. */
static size_t best_map(const struct map_text *map)
{
    size_t best = 0;
    for (size_t i = 1; i < map->map_count; i++) {
        if (map->maps[i].form < map->maps[best].form)
            best = i;
    }
    return best;
}

static bool refuse_number(const struct map_text *map, size_t map_number,
                          struct map_text_note *ret_error)
{
    *ret_error = (struct map_text_note){0};
    (void)format_text(ret_error->text, sizeof(ret_error->text),
                      "it has no map %zu: the number of its maps is %zu", map_number,
                      map->map_count);
    return false;
}

/* Store the list of maps, and the number of the map that was read. */
static void copy_list_of_maps(struct map_text *map, const struct map_text *found, size_t index)
{
    map->form = found->maps[index].form;
    map->map_number = index + 1;
    map->map_count = found->map_count;
    for (size_t i = 0; i < found->map_count; i++)
        map->maps[i] = found->maps[i];
}

static bool refuse_text(const char *text, size_t size_bytes, struct map_text_note *ret_error)
{
    struct map_reader reader = {0};
    map_reader_begin(&reader, text, size_bytes);
    map_reader_explain(&reader);
    *ret_error = reader.error;
    return false;
}

/* Read the rows of one map. Precondition: `reader` is initialised for it. */
static bool read_rows(struct map_reader *reader, const char *text, size_t size_bytes)
{
    map_reader_begin(reader, text, size_bytes);
    if (!map_reader_run(reader))
        return false;
    if (reader->map.row_count > 0)
        return true;
    reader->error = (struct map_text_note){.text = "it has no row of a memory map"};
    return false;
}

bool map_text_parse(const char *text, size_t size_bytes, size_t map_number,
                    struct memory_map_descriptor *rows, size_t row_capacity,
                    struct map_text *ret_map, struct map_text_note *ret_error)
{
    struct map_reader seen;
    survey(&seen, text, size_bytes);
    const struct map_text *found = &seen.map;
    if (found->map_count == 0)
        return refuse_text(text, size_bytes, ret_error);
    if (map_number > found->map_count)
        return refuse_number(found, map_number, ret_error);
    size_t index = map_number == 0 ? best_map(found) : map_number - 1;
    struct map_reader reader = {.reads_data_rows = seen.reads_data_rows,
                                .reads_map = true,
                                .map_index = index,
                                .map_form = found->maps[index].form,
                                .all_map_count = found->map_count,
                                .rows = rows,
                                .row_capacity = row_capacity};
    bool sound = read_rows(&reader, text, size_bytes);
    *ret_error = reader.error;
    if (!sound)
        return false;
    *ret_map = reader.map;
    copy_list_of_maps(ret_map, found, index);
    return true;
}
