#include "kernel/screen/overview_page.h"

#include "kernel/screen/overview_chart.h"
#include "kernel/screen/overview_heaps.h"
#include "kernel/screen/overview_map.h"
#include "kernel/screen/overview_text.h"
#include "shared/text/console_font.h"
#include "shared/text/format.h"

#define COLUMNS_WISHED 80
#define ROWS_WISHED    30
#define BAND_RGB       UINT32_C(0x1f3a5c)
#define BAND_FAINT_RGB UINT32_C(0xb8c8d8)
#define KEY_RGB        UINT32_C(0x48586c)
#define BAND_ROWS      2
#define MACHINE_ROWS   2
#define HEAPS_ROWS     (1 + OVERVIEW_HEAPS_ROWS)
#define LINE_CAPACITY  256

/* The rows of a section, with a free row below it. The bar of the map has `bar_count` rows. */
static uint32_t rows_above_chart(uint32_t bar_count)
{
    return BAND_ROWS + 1 + MACHINE_ROWS + 1 + 1 + bar_count + OVERVIEW_LEGEND_ROWS + 1 +
           HEAPS_ROWS + 1 + 1;
}

/* The chart of a usual boot, with some 20 phases, fits below a bar of five rows on 44 rows. */
static uint32_t bar_rows(uint32_t rows)
{
    if (rows < ROWS_WISHED + 6)
        return 2;
    return rows < ROWS_WISHED + 14 ? 3 : 5;
}

static struct overview_rows place_rows(uint32_t rows)
{
    struct overview_rows place = {.machine = BAND_ROWS + 1};
    place.map = place.machine + MACHINE_ROWS + 1;
    place.map_bar_count = bar_rows(rows);
    place.legend = place.map + 1 + place.map_bar_count;
    place.heaps = place.legend + OVERVIEW_LEGEND_ROWS + 1;
    place.boot = place.heaps + HEAPS_ROWS + 1;
    place.keys = rows - 1;
    place.boot_count = place.keys - 1 - rows_above_chart(place.map_bar_count);
    return place;
}

bool overview_page_measure(const struct canvas *canvas, struct overview_pen *ret_pen,
                           struct overview_rows *ret_rows)
{
    uint32_t cells_across = canvas->framebuffer->width_pixels / CONSOLE_FONT_WIDTH_PIXELS;
    uint32_t cells_down = canvas->framebuffer->height_pixels / CONSOLE_FONT_HEIGHT_PIXELS;
    uint32_t scale = cells_across / COLUMNS_WISHED;
    if (scale > cells_down / ROWS_WISHED)
        scale = cells_down / ROWS_WISHED;
    if (scale == 0)
        return false;
    *ret_pen = (struct overview_pen){canvas, scale, cells_across / scale, cells_down / scale};
    *ret_rows = place_rows(ret_pen->rows);
    return true;
}

/* --- Sections --------------------------------------------------------------------------------- */

static uint32_t inner_columns(const struct overview_pen *pen)
{
    return pen->columns - 2 * OVERVIEW_MARGIN_COLUMNS;
}

static void draw_heading(const struct overview_pen *pen, uint32_t row, const char *heading,
                         const char *note)
{
    uint32_t column =
        overview_pen_text(pen, OVERVIEW_MARGIN_COLUMNS, row, OVERVIEW_HEADING_RGB, heading);
    (void)overview_pen_text(pen, column + 2, row, OVERVIEW_FAINT_RGB, note);
}

static void draw_band(const struct overview_pen *pen, const struct overview *overview)
{
    const struct canvas_style title = {2 * pen->scale, OVERVIEW_TEXT_RGB, BAND_RGB};
    const struct canvas_style style = {pen->scale, BAND_FAINT_RGB, BAND_RGB};
    char line[LINE_CAPACITY];
    uint32_t height = BAND_ROWS * CONSOLE_FONT_HEIGHT_PIXELS * pen->scale;
    int length =
        format_text(line, sizeof line, "version %s  build %s", overview->version, overview->build);
    uint32_t end = pen->columns - OVERVIEW_MARGIN_COLUMNS;
    canvas_fill(pen->canvas, 0, 0, pen->canvas->framebuffer->width_pixels, height, BAND_RGB);
    canvas_text(pen->canvas, OVERVIEW_MARGIN_COLUMNS * CONSOLE_FONT_WIDTH_PIXELS * pen->scale, 0,
                &title, "Handoff", sizeof "Handoff" - 1);
    if ((uint32_t)length < end)
        (void)overview_pen_mark(pen, end - (uint32_t)length, 1, &style, line);
}

/* Draw a word in a faint colour and its value after it. Return the column for the next pair. */
static uint32_t draw_pair(const struct overview_pen *pen, uint32_t column, uint32_t row,
                          const char *word, const char *value)
{
    column = overview_pen_text(pen, column, row, OVERVIEW_FAINT_RGB, word);
    return overview_pen_text(pen, column + 1, row, OVERVIEW_TEXT_RGB, value) + 3;
}

static void draw_machine(const struct overview_pen *pen, const struct overview *overview,
                         uint32_t row)
{
    const struct handoff_framebuffer *screen = pen->canvas->framebuffer;
    char line[LINE_CAPACITY];
    uint32_t column = OVERVIEW_MARGIN_COLUMNS;
    column = draw_pair(pen, column, row, "RAM", overview_size(overview->ram_bytes).text);
    if (overview->clock_hz == 0)
        format_text(line, sizeof line, "%s", overview->cpu_name);
    else
        format_text(line, sizeof line, "%s, %llu MHz", overview->cpu_name,
                    (unsigned long long)(overview->clock_hz / 1000000));
    (void)draw_pair(pen, column, row, "CPU", line);
    format_text(line, sizeof line, "UEFI%s%s", overview->has_acpi ? ", ACPI" : "",
                overview->has_smbios ? ", SMBIOS" : "");
    column = draw_pair(pen, OVERVIEW_MARGIN_COLUMNS, row + 1, "Firmware", line);
    format_text(line, sizeof line, "%u x %u", screen->width_pixels, screen->height_pixels);
    column = draw_pair(pen, column, row + 1, "Screen", line);
    (void)draw_pair(pen, column, row + 1, "Loader", overview->loader_name);
}

static void draw_map(const struct overview_pen *pen, const struct overview *overview,
                     const struct overview_rows *rows)
{
    char note[LINE_CAPACITY];
    struct overview_box box = overview_pen_box(pen, OVERVIEW_MARGIN_COLUMNS, rows->map + 1,
                                               inner_columns(pen), rows->map_bar_count, 3);
    format_text(note, sizeof note, "all RAM by address, up to 0x%llx; holes are left out",
                (unsigned long long)overview->ram_end);
    draw_heading(pen, rows->map, "Physical memory", note);
    overview_map_bar(pen, overview, &box);
    overview_map_legend(pen, overview, OVERVIEW_MARGIN_COLUMNS, rows->legend, inner_columns(pen));
}

static void draw_heaps(const struct overview_pen *pen, const struct overview *overview,
                       uint32_t row)
{
    char note[LINE_CAPACITY];
    format_text(note, sizeof note, "permanent heap: policy %s, peak %s", overview->heap.policy,
                overview_size(overview->heap.peak_bytes).text);
    draw_heading(pen, row, "Heaps", note);
    overview_heaps_draw(pen, overview, OVERVIEW_MARGIN_COLUMNS, row + 1, inner_columns(pen));
}

static uint32_t draw_share(const struct overview_pen *pen, uint32_t column, uint32_t row,
                           bool is_loader, uint64_t duration_us)
{
    overview_pen_swatch(pen, column, row, overview_chart_rgb(is_loader));
    return draw_pair(pen, column + 2, row, is_loader ? "loader" : "kernel",
                     overview_time(duration_us).text);
}

static void draw_boot(const struct overview_pen *pen, const struct overview *overview,
                      const struct overview_rows *rows)
{
    if (overview->total_us == 0) {
        draw_heading(pen, rows->boot, "Boot", "the frequency of the clock is unknown");
        return;
    }
    uint32_t column =
        overview_pen_text(pen, OVERVIEW_MARGIN_COLUMNS, rows->boot, OVERVIEW_HEADING_RGB, "Boot");
    column = overview_pen_text(pen, column + 2, rows->boot, OVERVIEW_TEXT_RGB,
                               overview_time(overview->total_us).text);
    column = draw_share(pen, column + 3, rows->boot, true, overview->loader_us);
    (void)draw_share(pen, column, rows->boot, false, overview->total_us - overview->loader_us);
    (void)overview_chart_draw(pen, overview, OVERVIEW_MARGIN_COLUMNS, rows->boot + 1,
                              inner_columns(pen), rows->boot_count);
}

static void draw_keys(const struct overview_pen *pen, const struct overview *overview, uint32_t row)
{
    const struct canvas_style key = {pen->scale, OVERVIEW_TEXT_RGB, KEY_RGB};
    uint32_t column = OVERVIEW_MARGIN_COLUMNS;
    if (!overview->has_keyboard) {
        (void)overview_pen_text(pen, column, row, OVERVIEW_TEXT_RGB,
                                "No PS/2 keyboard answers: type on the serial port. Ctrl-O: log");
        return;
    }
    column = overview_pen_mark(pen, column, row, &key, " F1 ");
    column = overview_pen_text(pen, column + 1, row, OVERVIEW_TEXT_RGB, "log and back");
    column = overview_pen_mark(pen, column + 3, row, &key, " any other key ");
    (void)overview_pen_text(pen, column + 1, row, OVERVIEW_TEXT_RGB,
                            "prompt: help lists the commands");
}

bool overview_page_draw(const struct canvas *canvas, const struct overview *overview)
{
    struct overview_pen pen;
    struct overview_rows rows;
    const struct handoff_framebuffer *screen = canvas->framebuffer;
    if (!overview_page_measure(canvas, &pen, &rows))
        return false;
    canvas_fill(canvas, 0, 0, screen->width_pixels, screen->height_pixels, OVERVIEW_PAPER_RGB);
    draw_band(&pen, overview);
    draw_machine(&pen, overview, rows.machine);
    draw_map(&pen, overview, &rows);
    draw_heaps(&pen, overview, rows.heaps);
    draw_boot(&pen, overview, &rows);
    draw_keys(&pen, overview, rows.keys);
    return true;
}
