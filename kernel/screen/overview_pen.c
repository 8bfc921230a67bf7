#include "kernel/screen/overview_pen.h"

#include "shared/text/console_font.h"
#include "shared/text/text.h"

#define MARGIN_COLUMNS 1

uint32_t overview_pen_mark(const struct overview_pen *pen, uint32_t column, uint32_t row,
                           const struct canvas_style *style, const char *text)
{
    uint32_t room =
        column + MARGIN_COLUMNS < pen->columns ? pen->columns - MARGIN_COLUMNS - column : 0;
    size_t length = text_length(text);
    if (length > room)
        length = room;
    canvas_text(pen->canvas, column * CONSOLE_FONT_WIDTH_PIXELS * pen->scale,
                row * CONSOLE_FONT_HEIGHT_PIXELS * pen->scale, style, text, length);
    return column + (uint32_t)length;
}

uint32_t overview_pen_text(const struct overview_pen *pen, uint32_t column, uint32_t row,
                           uint32_t rgb, const char *text)
{
    const struct canvas_style style = {pen->scale, rgb, OVERVIEW_PAPER_RGB};
    return overview_pen_mark(pen, column, row, &style, text);
}

void overview_pen_text_before(const struct overview_pen *pen, uint32_t end_column, uint32_t row,
                              uint32_t rgb, const char *text)
{
    (void)overview_pen_text(pen, end_column - (uint32_t)text_length(text), row, rgb, text);
}

void overview_pen_swatch(const struct overview_pen *pen, uint32_t column, uint32_t row,
                         uint32_t rgb)
{
    struct overview_box box = overview_pen_box(pen, column, row, 1, 1, 4);
    overview_pen_fill(pen, &box, 0, box.width, rgb);
}

struct overview_box overview_pen_box(const struct overview_pen *pen, uint32_t column, uint32_t row,
                                     uint32_t column_count, uint32_t row_count, uint32_t inset)
{
    uint32_t cell_width = CONSOLE_FONT_WIDTH_PIXELS * pen->scale;
    uint32_t cell_height = CONSOLE_FONT_HEIGHT_PIXELS * pen->scale;
    return (struct overview_box){
        .left = column * cell_width,
        .top = row * cell_height + inset * pen->scale,
        .width = column_count * cell_width,
        .height = row_count * cell_height - 2 * inset * pen->scale,
    };
}

void overview_pen_fill(const struct overview_pen *pen, const struct overview_box *box,
                       uint32_t from, uint32_t to, uint32_t rgb)
{
    if (from < to)
        canvas_fill(pen->canvas, box->left + from, box->top, to - from, box->height, rgb);
}

/* Both numbers are halved until the product fits. */
uint32_t overview_pen_share(uint32_t size, uint64_t part, uint64_t whole)
{
    if (part > whole)
        return size;
    while (whole > UINT64_MAX >> 32) {
        part >>= 1;
        whole >>= 1;
    }
    return whole == 0 ? 0 : (uint32_t)(size * part / whole);
}
