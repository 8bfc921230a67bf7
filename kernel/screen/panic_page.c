#include "kernel/screen/panic_page.h"

#include "shared/memory.h"

void panic_page_add(struct panic_page *page, enum panic_part part, const char *text, size_t length)
{
    if (page->line_count == PANIC_PAGE_LINE_LIMIT ||
        length > sizeof page->text - page->text_size_bytes)
        return;
    memcpy(page->text + page->text_size_bytes, text, length);
    page->lines[page->line_count++] = (struct panic_line){
        .start = (uint16_t)page->text_size_bytes,
        .length = (uint16_t)length,
        .part = (uint8_t)part,
    };
    page->text_size_bytes += length;
}

/* Return the number of characters before the next newline, or before the end. */
static size_t line_length(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && text[count] != '\n')
        count++;
    return count;
}

void panic_page_add_log(struct panic_page *page, const char *text, size_t length)
{
    size_t first = line_length(text, length);
    size_t at = first == length ? 0 : first + 1;
    while (at < length) {
        size_t count = line_length(text + at, length - at);
        if (count != 0)
            panic_page_add(page, PANIC_PART_LOG, text + at, count);
        at += count + 1;
    }
}
