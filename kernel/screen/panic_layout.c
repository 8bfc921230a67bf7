#include "kernel/screen/panic_layout.h"

#include "shared/text/console_font.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

#define BAND_RGB UINT32_C(0xd0202a)
#define TEXT_RGB UINT32_C(0xffffff)

#define COLUMNS_WISHED 100
#define ROWS_WISHED    37
#define COLUMNS_MIN    40
#define ROWS_MIN       12
#define MARGIN_COLUMNS 1
#define LABEL_COLUMNS  15
#define BAND_ROWS      3
/* The box for the QR code. At 800 x 600 pixels it holds a code of 129 modules, margin included. */
#define BOX_PART_OF_WIDTH  3
#define BOX_PART_OF_HEIGHT 2
#define BOX_GAP_COLUMNS    1
/* With heading and blank row. */
#define LOG_ROWS_MIN       5
#define BACKTRACE_ROWS_MIN 6
/* A blank row, the heading, a line, and how many are left out. */
#define BACKTRACE_ROWS_LEAST 4

struct layout {
    const struct canvas *canvas;
    const struct panic_page *page;
    uint32_t scale;
    uint32_t columns;     /* between the margins */
    uint32_t row;         /* the next one */
    uint32_t row_end;     /* the row of the last line of the screen */
    uint32_t box_row;     /* from this row on, the text has only the columns beside the box */
    uint32_t box_columns; /* without a box: all */
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Return how large the letters can be; 0 if there are fewer columns or rows than wished. */
static uint32_t find_scale(const struct canvas *canvas)
{
    uint32_t cells_across = canvas->framebuffer->width_pixels / CONSOLE_FONT_WIDTH_PIXELS;
    uint32_t cells_down = canvas->framebuffer->height_pixels / CONSOLE_FONT_HEIGHT_PIXELS;
    return smaller(cells_across / COLUMNS_WISHED, cells_down / ROWS_WISHED);
}

bool panic_layout_find_box(const struct canvas *canvas, struct panic_box *ret_box)
{
    uint32_t scale = find_scale(canvas);
    uint32_t width_pixels = canvas->framebuffer->width_pixels;
    uint32_t height_pixels = canvas->framebuffer->height_pixels;
    uint32_t room_pixels =
        smaller(width_pixels / BOX_PART_OF_WIDTH, height_pixels / BOX_PART_OF_HEIGHT);
    if (scale == 0)
        return false;
    *ret_box = (struct panic_box){
        .left = width_pixels - room_pixels,
        .top = height_pixels - room_pixels,
        .side_pixels = room_pixels - MARGIN_COLUMNS * CONSOLE_FONT_WIDTH_PIXELS * scale,
        .scale = scale,
    };
    return true;
}

/* Leave the box free, and the row above it for a caption. */
static void reserve_box(struct layout *layout)
{
    struct panic_box box;
    layout->box_row = layout->row_end + 1;
    layout->box_columns = layout->columns;
    if (!panic_layout_find_box(layout->canvas, &box))
        return;
    layout->box_row = box.top / (CONSOLE_FONT_HEIGHT_PIXELS * box.scale) - 1;
    layout->box_columns =
        box.left / (CONSOLE_FONT_WIDTH_PIXELS * box.scale) - MARGIN_COLUMNS - BOX_GAP_COLUMNS;
}

static bool measure(const struct canvas *canvas, struct layout *ret_layout)
{
    uint32_t scale = find_scale(canvas);
    if (scale == 0)
        scale = 1;
    uint32_t columns = canvas->framebuffer->width_pixels / (CONSOLE_FONT_WIDTH_PIXELS * scale);
    uint32_t rows = canvas->framebuffer->height_pixels / (CONSOLE_FONT_HEIGHT_PIXELS * scale);
    if (columns < COLUMNS_MIN || rows < ROWS_MIN)
        return false;
    *ret_layout = (struct layout){.canvas = canvas,
                                  .scale = scale,
                                  .columns = columns - 2 * MARGIN_COLUMNS,
                                  .row = BAND_ROWS + 1,
                                  .row_end = rows - 1};
    reserve_box(ret_layout);
    return true;
}

static uint32_t columns_of_row(const struct layout *layout, uint32_t row)
{
    return row < layout->box_row ? layout->columns : layout->box_columns;
}

/* Return a layout to count the rows of later parts, which may lie beside the box. */
static struct layout beside_box(const struct layout *layout)
{
    struct layout later = *layout;
    if (later.row < later.box_row && later.box_row < later.row_end)
        later.row = later.box_row;
    return later;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void put(const struct layout *layout, uint32_t column, uint32_t rgb, const char *text,
                size_t length)
{
    const struct canvas_style style = {layout->scale, rgb, PANIC_PAPER_RGB};
    canvas_text(layout->canvas,
                (MARGIN_COLUMNS + column) * CONSOLE_FONT_WIDTH_PIXELS * layout->scale,
                layout->row * CONSOLE_FONT_HEIGHT_PIXELS * layout->scale, &style, text, length);
}

/* Return how much of a text belongs into a row: all, or up to a blank, or what fits. */
static size_t piece_length(const char *text, size_t length, uint32_t columns)
{
    if (length <= columns)
        return length;
    size_t end = columns;
    while (end > 0 && text[end] != ' ')
        end--;
    return end == 0 ? columns : end;
}

static size_t blanks(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && text[count] == ' ')
        count++;
    return count;
}

/* Write a text from a column on, in as many rows as it needs, and return this number. If `draws` is
 * false, only count. */
static uint32_t write_rows(struct layout *layout, uint32_t column, const char *text, size_t length,
                           bool draws)
{
    uint32_t count = 0;
    uint32_t first_row = layout->row;
    do {
        size_t piece =
            piece_length(text, length, columns_of_row(layout, first_row + count) - column);
        if (draws && layout->row < layout->row_end) {
            put(layout, column, TEXT_RGB, text, piece);
            layout->row++;
        }
        count++;
        piece += blanks(text + piece, length - piece);
        text += piece;
        length -= piece;
    } while (length > 0);
    return count;
}

/* --- Parts ------------------------------------------------------------------------------------ */

struct shape {
    const char *label;
    bool is_above; /* the label has a row of its own, behind a blank row */
};

static const struct shape shapes[PANIC_PART_COUNT] = {
    [PANIC_PART_CAUSE] = {"What happened", false},
    [PANIC_PART_PLACE] = {"Where", false},
    [PANIC_PART_REMEDY] = {"What to try", false},
    [PANIC_PART_NOTE] = {"Callers", false},
    [PANIC_PART_BACKTRACE] = {"Backtrace", true},
    [PANIC_PART_REGISTERS] = {"Registers", true},
    [PANIC_PART_CODE] = {"Code", false},
    [PANIC_PART_MEMORY] = {"Memory", false},
    [PANIC_PART_BUILD] = {"Kernel", false},
    [PANIC_PART_LOG] = {"Log before the panic", true},
};

static uint32_t column_of(enum panic_part part)
{
    return shapes[part].is_above ? 0 : LABEL_COLUMNS;
}

static uint32_t rows_of_line(struct layout *layout, const struct panic_line *line)
{
    return write_rows(layout, column_of(line->part), layout->page->text + line->start, line->length,
                      false);
}

/* --- Registers: several in a line, each a name and a value ------------------------------------ */

/* Return the length of the words at the start of a text, and of the blanks between them. */
static size_t words_length(const char *text, size_t length, unsigned word_count)
{
    size_t end = 0;
    size_t next = 0;
    for (; word_count > 0; word_count--) {
        end = next;
        while (end < length && text[end] != ' ')
            end++;
        next = end + blanks(text + end, length - end);
    }
    return end;
}

/* Does a line of the part have more columns than the last of its rows? */
static bool is_too_wide(const struct layout *layout, enum panic_part part)
{
    uint32_t row = layout->row;
    uint32_t longest = 0;
    for (unsigned i = 0; i < layout->page->line_count; i++) {
        const struct panic_line *line = &layout->page->lines[i];
        if (line->part != part)
            continue;
        row++;
        longest = line->length > longest ? line->length : longest;
    }
    return row != layout->row && longest > columns_of_row(layout, row - 1);
}

/* Write the registers of a line from *column on, in as many rows as they need. */
static void write_registers(struct layout *layout, uint32_t *column, const struct panic_line *line,
                            bool draws)
{
    const char *text = layout->page->text + line->start;
    size_t length = line->length;
    while (length > 0) {
        size_t piece = smaller((uint32_t)words_length(text, length, 2), layout->box_columns);
        if (*column != 0 && *column + piece > layout->box_columns) {
            layout->row++;
            *column = 0;
        }
        if (draws && layout->row < layout->row_end)
            put(layout, *column, TEXT_RGB, text, piece);
        *column += (uint32_t)piece + 2;
        piece += blanks(text + piece, length - piece);
        text += piece;
        length -= piece;
    }
}

/* Write the registers of all lines of a part, without regard to the ends of the lines. */
static void write_all_registers(struct layout *layout, enum panic_part part, bool draws)
{
    uint32_t column = 0;
    for (unsigned i = 0; i < layout->page->line_count; i++) {
        if (layout->page->lines[i].part == part)
            write_registers(layout, &column, &layout->page->lines[i], draws);
    }
    layout->row += column != 0;
}

/* --- Parts, continued ------------------------------------------------------------------------- */

/* Return the rows that a part needs from the next row on, heading included; 0 without a line. */
static uint32_t rows_of(const struct layout *layout, enum panic_part part)
{
    struct layout trial = *layout;
    uint32_t heading_rows = shapes[part].is_above ? 2 : 0;
    trial.row += heading_rows;
    uint32_t first_row = trial.row;
    if (part == PANIC_PART_REGISTERS && is_too_wide(&trial, part)) {
        write_all_registers(&trial, part, false);
        return trial.row - first_row + heading_rows;
    }
    for (unsigned i = 0; i < layout->page->line_count; i++) {
        if (layout->page->lines[i].part == part)
            trial.row += rows_of_line(&trial, &layout->page->lines[i]);
    }
    return trial.row == first_row ? 0 : trial.row - first_row + heading_rows;
}

static void write_label(struct layout *layout, enum panic_part part)
{
    const char *label = shapes[part].label;
    if (shapes[part].is_above)
        layout->row++;
    if (layout->row < layout->row_end)
        put(layout, 0, PANIC_LABEL_RGB, label, text_length(label));
    if (shapes[part].is_above)
        layout->row++;
}

static void write_line(struct layout *layout, const struct panic_line *line)
{
    write_rows(layout, column_of(line->part), layout->page->text + line->start, line->length, true);
}

/* Write the part's lines from `first` on, and from then on those that fit before `row_end`. Return
 * the number of lines that did not fit. */
static unsigned write_lines(struct layout *layout, enum panic_part part, unsigned first,
                            uint32_t row_end)
{
    unsigned left_out = 0;
    for (unsigned i = first; i < layout->page->line_count; i++) {
        const struct panic_line *line = &layout->page->lines[i];
        if (line->part != part)
            continue;
        if (left_out != 0 || layout->row + rows_of_line(layout, line) > row_end)
            left_out++;
        else
            write_line(layout, line);
    }
    return left_out;
}

static void write_part(struct layout *layout, enum panic_part part)
{
    if (rows_of(layout, part) == 0)
        return;
    write_label(layout, part);
    if (part == PANIC_PART_REGISTERS && is_too_wide(layout, part))
        write_all_registers(layout, part, true);
    else
        write_lines(layout, part, 0, layout->row_end);
}

/* Write the first lines of the backtrace, in at most `row_count` rows. */
static void write_backtrace(struct layout *layout, uint32_t row_count)
{
    char more[64];
    uint32_t needed = rows_of(layout, PANIC_PART_BACKTRACE);
    if (needed == 0 || row_count < BACKTRACE_ROWS_LEAST)
        return;
    uint32_t row_end = layout->row + row_count;
    write_label(layout, PANIC_PART_BACKTRACE);
    unsigned left_out =
        write_lines(layout, PANIC_PART_BACKTRACE, 0, needed <= row_count ? row_end : row_end - 1);
    if (left_out == 0)
        return;
    format_text(more, sizeof more, "... and %u more line%s on the serial port", left_out,
                left_out == 1 ? "" : "s");
    write_rows(layout, 0, more, text_length(more), true);
}

/* Write the newest lines of the log that fit into the remaining rows. */
static void write_log(struct layout *layout)
{
    uint32_t end = layout->row_end - 1; /* a blank row before the last row */
    uint32_t room = layout->row + 2 < end ? end - layout->row - 2 : 0;
    struct layout later = beside_box(layout);
    unsigned first = layout->page->line_count;
    for (unsigned i = first; i > 0; i--) {
        const struct panic_line *line = &layout->page->lines[i - 1];
        if (line->part != PANIC_PART_LOG)
            continue;
        uint32_t rows = rows_of_line(&later, line);
        if (rows > room)
            break;
        room -= rows;
        first = i - 1;
    }
    if (first == layout->page->line_count)
        return;
    write_label(layout, PANIC_PART_LOG);
    write_lines(layout, PANIC_PART_LOG, first, layout->row_end);
}

/* --- The page --------------------------------------------------------------------------------- */

static const struct panic_line *find_line(const struct panic_page *page, enum panic_part part)
{
    for (unsigned i = 0; i < page->line_count; i++) {
        if (page->lines[i].part == part)
            return &page->lines[i];
    }
    return NULL;
}

/* A title that is too long for letters of double size has the size of the text. */
static void write_title(const struct layout *layout)
{
    uint32_t cell_height_pixels = CONSOLE_FONT_HEIGHT_PIXELS * layout->scale;
    const struct panic_line *line = find_line(layout->page, PANIC_PART_TITLE);
    canvas_fill(layout->canvas, 0, 0, layout->canvas->framebuffer->width_pixels,
                BAND_ROWS * cell_height_pixels, BAND_RGB);
    if (line == NULL)
        return;
    uint32_t factor = 2u * line->length <= layout->columns ? 2 : 1;
    const struct canvas_style style = {factor * layout->scale, TEXT_RGB, BAND_RGB};
    canvas_text(layout->canvas, MARGIN_COLUMNS * CONSOLE_FONT_WIDTH_PIXELS * layout->scale,
                (BAND_ROWS - factor) * cell_height_pixels / 2, &style,
                layout->page->text + line->start, line->length);
}

static void write_end(struct layout *layout)
{
    const struct panic_line *line = find_line(layout->page, PANIC_PART_END);
    layout->row = layout->row_end;
    if (line != NULL)
        put(layout, 0, PANIC_LABEL_RGB, layout->page->text + line->start,
            smaller(line->length, columns_of_row(layout, layout->row)));
}

/* Return the rows for the backtrace: those that no other part needs. On a small screen its first
 * lines come before the log, and before the code. */
static uint32_t room_for_backtrace(const struct layout *layout, bool has_code)
{
    struct layout later = beside_box(layout);
    uint32_t others = 2; /* the blank rows before the code and before the last row */
    uint32_t log = smaller(rows_of(&later, PANIC_PART_LOG), LOG_ROWS_MIN);
    for (unsigned part = PANIC_PART_REGISTERS; part < PANIC_PART_LOG; part++)
        others += part != PANIC_PART_CODE || has_code ? rows_of(&later, part) : 0;
    uint32_t room = layout->row_end - layout->row;
    room = others < room ? room - others : 0;
    return room < BACKTRACE_ROWS_MIN + log ? smaller(room, BACKTRACE_ROWS_MIN) : room - log;
}

bool panic_layout_draw(const struct canvas *canvas, const struct panic_page *page)
{
    struct layout layout;
    if (!measure(canvas, &layout))
        return false;
    layout.page = page;
    canvas_fill(canvas, 0, 0, canvas->framebuffer->width_pixels, canvas->framebuffer->height_pixels,
                PANIC_PAPER_RGB);
    write_title(&layout);
    for (unsigned part = PANIC_PART_CAUSE; part < PANIC_PART_BACKTRACE; part++)
        write_part(&layout, part);
    bool has_code = room_for_backtrace(&layout, true) >= BACKTRACE_ROWS_LEAST;
    write_backtrace(&layout, room_for_backtrace(&layout, has_code));
    write_part(&layout, PANIC_PART_REGISTERS);
    layout.row++;
    if (has_code || rows_of(&layout, PANIC_PART_BACKTRACE) == 0)
        write_part(&layout, PANIC_PART_CODE);
    write_part(&layout, PANIC_PART_MEMORY);
    write_part(&layout, PANIC_PART_BUILD);
    write_log(&layout);
    write_end(&layout);
    return true;
}
