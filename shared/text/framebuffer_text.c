#include "shared/text/framebuffer_text.h"

#include "shared/text/console_font.h"
#include "shared/text/pixel_format.h"
#include "shared/memory.h"

#define FOREGROUND_RGB UINT32_C(0xd0d0d0)
/* Black is all zero in every pixel format, so clearing needs no loop over pixels. */
#define BACKGROUND_RGB UINT32_C(0x000000)

/* A character has 8 pixels. On a screen that is wider than this, it would be too small to read, so
 * glyphs are enlarged. */
#define WIDTH_PER_SCALE_PIXELS 2560

#define CURSOR_INVERSION 0xffu

static uint32_t minimum(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Columns and rows that fit on the screen and into the buffer of cells. */
static void count_cells(struct framebuffer_text *text, size_t cell_capacity)
{
    text->columns = minimum(text->width_pixels / text->scale / CONSOLE_FONT_WIDTH_PIXELS,
                            FRAMEBUFFER_TEXT_COLUMN_LIMIT);
    text->rows = text->height_pixels / text->scale / CONSOLE_FONT_HEIGHT_PIXELS;
    if (text->columns != 0 && text->rows > cell_capacity / text->columns)
        text->rows = (uint32_t)(cell_capacity / text->columns);
}

bool framebuffer_text_initialise(struct framebuffer_text *ret_text,
                                 const struct handoff_framebuffer *framebuffer, void *pixels,
                                 const uint8_t *font, char *cells, size_t cell_capacity)
{
    if (!pixel_format_is_sane(framebuffer))
        return false;
    struct framebuffer_text text = {
        .pixels = pixels,
        .font = font,
        .cells = cells,
        .width_pixels = framebuffer->width_pixels,
        .height_pixels = framebuffer->height_pixels,
        .pitch_bytes = framebuffer->pitch_bytes,
        .pixel_size_bytes = framebuffer->bits_per_pixel / 8u,
        .foreground = pixel_format_value(framebuffer, FOREGROUND_RGB),
        .background = pixel_format_value(framebuffer, BACKGROUND_RGB),
        .scale = 1 + framebuffer->width_pixels / WIDTH_PER_SCALE_PIXELS,
    };
    count_cells(&text, cell_capacity);
    if (text.columns == 0 || text.rows == 0)
        return false;
    *ret_text = text;
    return true;
}

static void glyph_line_draw(const struct framebuffer_text *text, uint8_t *pixel, unsigned bits)
{
    const uint32_t colours[2] = {text->background, text->foreground};
    uint32_t size_bytes = text->pixel_size_bytes;
    uint32_t scale = text->scale;
    if (size_bytes == sizeof(colours[0]) && scale == 1) { /* nearly every screen */
        for (unsigned x = 0; x < CONSOLE_FONT_WIDTH_PIXELS; x++, bits <<= 1)
            __builtin_memcpy(pixel + x * sizeof(colours[0]), &colours[bits >> 7 & 1],
                             sizeof(colours[0]));
        return;
    }
    for (unsigned x = CONSOLE_FONT_WIDTH_PIXELS; x-- > 0;) {
        uint32_t value = colours[bits >> x & 1];
        for (uint32_t i = 0; i < scale; i++) {
            pixel_write(pixel, value, size_bytes);
            pixel += size_bytes;
        }
    }
}

/* With `inversion` 0xff, the colours are exchanged; otherwise it is 0. */
static void glyph_draw(const struct framebuffer_text *text, uint32_t column, uint32_t row,
                       char character, unsigned inversion)
{
    const uint8_t *glyph =
        text->font + (size_t)(character - CONSOLE_FONT_FIRST) * CONSOLE_FONT_HEIGHT_PIXELS;
    uint32_t cell_height = CONSOLE_FONT_HEIGHT_PIXELS * text->scale;
    uint8_t *line =
        text->pixels + (size_t)row * cell_height * text->pitch_bytes +
        (size_t)column * CONSOLE_FONT_WIDTH_PIXELS * text->scale * text->pixel_size_bytes;

    for (uint32_t y = 0; y < cell_height; y++) {
        glyph_line_draw(text, line, glyph[y / text->scale] ^ inversion);
        line += text->pitch_bytes;
    }
}

static void cell_show(struct framebuffer_text *text, uint32_t column, uint32_t row, char character)
{
    char *cell = &text->cells[(size_t)row * text->columns + column];
    if (*cell == character)
        return;
    *cell = character;
    if (!text->is_hidden)
        glyph_draw(text, column, row, character, 0);
}

/* Behind the last column of a row, the cursor is on the last one. */
static void cursor_draw(const struct framebuffer_text *text, unsigned inversion)
{
    uint32_t column = minimum(text->column, text->columns - 1);
    if (text->has_cursor && !text->is_hidden)
        glyph_draw(text, column, text->row, text->cells[(size_t)text->row * text->columns + column],
                   inversion);
}

static void scroll(struct framebuffer_text *text)
{
    for (uint32_t row = 0; row < text->rows; row++) {
        const char *next = text->cells + (size_t)(row + 1) * text->columns;
        bool last = row + 1 == text->rows;
        for (uint32_t column = 0; column < text->columns; column++)
            cell_show(text, column, row, last ? ' ' : next[column]);
    }
}

static void line_feed(struct framebuffer_text *text)
{
    text->column = 0;
    if (text->row + 1 < text->rows)
        text->row++;
    else
        scroll(text);
}

static void character_write(struct framebuffer_text *text, char character)
{
    if (character < CONSOLE_FONT_FIRST || character > CONSOLE_FONT_LAST)
        character = '?';
    if (text->column == text->columns)
        line_feed(text);
    cell_show(text, text->column, text->row, character);
    text->column++;
}

static void tab_write(struct framebuffer_text *text)
{
    do
        character_write(text, ' ');
    while (text->column % 8 != 0 && text->column < text->columns);
}

static void paint_background(const struct framebuffer_text *text)
{
    for (uint32_t y = 0; y < text->height_pixels; y++)
        memset(text->pixels + (size_t)y * text->pitch_bytes, 0,
               (size_t)text->width_pixels * text->pixel_size_bytes);
}

void framebuffer_text_clear(struct framebuffer_text *text)
{
    if (!text->is_hidden)
        paint_background(text);
    memset(text->cells, ' ', (size_t)text->rows * text->columns);
    text->column = 0;
    text->row = 0;
}

void framebuffer_text_show_cursor(struct framebuffer_text *text)
{
    text->has_cursor = true;
}

void framebuffer_text_hide(struct framebuffer_text *text)
{
    text->is_hidden = true;
}

void framebuffer_text_show(struct framebuffer_text *text)
{
    text->is_hidden = false;
    paint_background(text);
    for (uint32_t row = 0; row < text->rows; row++) {
        for (uint32_t column = 0; column < text->columns; column++) {
            char character = text->cells[(size_t)row * text->columns + column];
            if (character != ' ')
                glyph_draw(text, column, row, character, 0);
        }
    }
    cursor_draw(text, CURSOR_INVERSION);
}

static void characters_write(struct framebuffer_text *text, const char *characters,
                             size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (characters[i] == '\n')
            line_feed(text);
        else if (characters[i] == '\t')
            tab_write(text);
        else if (characters[i] == '\b')
            text->column -= text->column > 0;
        else if (characters[i] == '\f')
            framebuffer_text_clear(text);
        else if (characters[i] != '\r')
            character_write(text, characters[i]);
    }
}

void framebuffer_text_write(struct framebuffer_text *text, const char *characters,
                            size_t size_bytes)
{
    cursor_draw(text, 0);
    characters_write(text, characters, size_bytes);
    cursor_draw(text, CURSOR_INVERSION);
}
