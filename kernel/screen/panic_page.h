/*
 * panic_page.h - the lines of a panic's report, by their part, until the screen shows them.
 *
 * The report is printed line by line, from its cause on. The screen shows a choice of the lines,
 * which depends on its size. So the page keeps them.
 *
 * Pure: a page is memory of the caller. If it is full, it ignores further lines.
 */
#ifndef KERNEL_SCREEN_PANIC_PAGE_H
#define KERNEL_SCREEN_PANIC_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define PANIC_PAGE_LINE_LIMIT     80
#define PANIC_PAGE_CAPACITY_BYTES 6144

/* In the order of the screen. */
enum panic_part {
    PANIC_PART_TITLE,  /* one line: code and name */
    PANIC_PART_CAUSE,  /* and the error code in words */
    PANIC_PART_PLACE,  /* where it happened */
    PANIC_PART_REMEDY, /* what to try */
    PANIC_PART_NOTE,   /* callers that have to do with it */
    PANIC_PART_BACKTRACE,
    PANIC_PART_REGISTERS,
    PANIC_PART_CODE,   /* the bytes of the instruction, and around it */
    PANIC_PART_MEMORY, /* the state of heap and frames */
    PANIC_PART_BUILD,  /* which kernel it is */
    PANIC_PART_LOG,    /* the last lines before the panic, the oldest first */
    PANIC_PART_END,    /* one line: the last of the screen */
    PANIC_PART_COUNT,
};

struct panic_line {
    uint16_t start; /* in the text of the page */
    uint16_t length;
    uint8_t part;
};

struct panic_page {
    struct panic_line lines[PANIC_PAGE_LINE_LIMIT];
    unsigned line_count;
    char text[PANIC_PAGE_CAPACITY_BYTES];
    size_t text_size_bytes;
};

/* Add a line. The page copies the text, `length` characters without a newline. */
void panic_page_add(struct panic_page *page, enum panic_part part, const char *text, size_t length);

/* Add each whole line of the end of a log. The first line may have lost its beginning: it is left
 * out, if there is another one. Empty lines are left out, too. */
void panic_page_add_log(struct panic_page *page, const char *text, size_t length);

#endif
