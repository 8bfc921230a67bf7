#include "bootloader/pure/boot_record_text.h"

#include <stdbool.h>

#include "shared/text/format.h"
#include "shared/text/packed_text.h"

#define LINE_MARK "  | "

struct paragraph {
    char *text;
    size_t capacity_bytes;
    size_t length;
};

static void put(struct paragraph *paragraph, const char *text, size_t length)
{
    for (size_t i = 0; i < length && paragraph->length + 1 < paragraph->capacity_bytes; i++)
        paragraph->text[paragraph->length++] = text[i];
    paragraph->text[paragraph->length] = '\0';
}

/* Empty lines are left out. */
static void put_lines(struct paragraph *paragraph, const char *lines, size_t size_bytes)
{
    bool is_in_line = false;
    for (size_t i = 0; i <= size_bytes; i++) {
        char character = i < size_bytes ? lines[i] : '\n';
        bool is_end = character == '\n';
        if (is_end && !is_in_line)
            continue;
        if (!is_in_line)
            put(paragraph, LINE_MARK, sizeof(LINE_MARK) - 1);
        if (!is_end && (character < ' ' || character > '~'))
            character = '?';
        put(paragraph, &character, 1);
        is_in_line = !is_end;
    }
}

static void put_formatted(struct paragraph *paragraph, struct packed_text format, ...)
{
    char line[160];
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_v(line, sizeof(line), packed_text_read(format.text), arguments);
    va_end(arguments);
    put(paragraph, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

size_t boot_record_describe(const struct post_mortem *record, char *text, size_t capacity_bytes)
{
    struct paragraph paragraph = {text, capacity_bytes, 0};
    text[0] = '\0';
    bool is_error = record->stage == POST_MORTEM_LOADER && record->code != 0;
    if (record->stage == POST_MORTEM_PANIC || is_error) {
        put_formatted(&paragraph,
                      is_error ? PACKED_FORMAT("the last boot ended in the loader's error HL-%02u. "
                                               "Its record:\n",
                                               record->code)
                               : PACKED_FORMAT("the last boot ended in a panic, code 0x%02x. "
                                               "Its record:\n",
                                               record->code),
                      record->code);
        put_lines(&paragraph, record->log, record->log_size_bytes);
        put_lines(&paragraph, record->report, record->report_size_bytes);
        put_formatted(&paragraph, PACKED_FORMAT("This was the record of the last boot.\n"));
    } else if (record->stage != POST_MORTEM_ENDED) {
        const char *stage = post_mortem_stage_text(record->stage);
        put_formatted(
            &paragraph,
            PACKED_FORMAT("warning: the last boot did not end. At the reset: %s.\n", stage), stage);
    }
    return paragraph.length;
}
