#include "kernel/screen/overview_chart.h"

#include "kernel/screen/overview_map.h"
#include "kernel/screen/overview_text.h"
#include "shared/text/format.h"

#define NAME_COLUMNS 24
#define BAR_COLUMN   36
#define BAR_INSET    4

uint32_t overview_chart_rgb(bool is_loader)
{
    return overview_owner_rgb(is_loader ? OVERVIEW_BOOT_DATA : OVERVIEW_KERNEL);
}

/* Return how many phases are longer than this one, or as long and earlier. */
static size_t rank(const struct overview *overview, size_t index)
{
    uint64_t duration_us = overview->phases[index].duration_us;
    size_t count = 0;
    for (size_t i = 0; i < overview->phase_count; i++)
        count += overview->phases[i].duration_us > duration_us ||
                 (i < index && overview->phases[i].duration_us == duration_us);
    return count;
}

static void draw_words(const struct overview_pen *pen, uint32_t column, uint32_t row, uint32_t rgb,
                       const char *name, uint64_t duration_us)
{
    char cut[NAME_COLUMNS];
    format_text(cut, sizeof cut, "%s", name);
    (void)overview_pen_text(pen, column, row, rgb, cut);
    overview_pen_text_before(pen, column + BAR_COLUMN - 2, row, rgb,
                             overview_time(duration_us).text);
}

static void draw_phase(const struct overview_pen *pen, const struct overview *overview,
                       const struct overview_phase *phase, uint32_t column, uint32_t row,
                       uint32_t column_count)
{
    struct overview_box box =
        overview_pen_box(pen, column + BAR_COLUMN, row, column_count - BAR_COLUMN, 1, BAR_INSET);
    uint32_t from = overview_pen_share(box.width, phase->begin_us, overview->total_us);
    uint32_t to =
        overview_pen_share(box.width, phase->begin_us + phase->duration_us, overview->total_us);
    if (from + pen->scale > box.width)
        from = box.width - pen->scale;
    if (to < from + pen->scale)
        to = from + pen->scale;
    draw_words(pen, column, row, OVERVIEW_TEXT_RGB, phase->name, phase->duration_us);
    overview_pen_fill(pen, &box, 0, box.width, OVERVIEW_TRACK_RGB);
    overview_pen_fill(pen, &box, from, to, overview_chart_rgb(phase->is_loader));
}

static void draw_rest(const struct overview_pen *pen, uint32_t column, uint32_t row,
                      size_t phase_count, uint64_t duration_us)
{
    char name[NAME_COLUMNS];
    format_text(name, sizeof name, "%zu shorter phase%s", phase_count, phase_count == 1 ? "" : "s");
    draw_words(pen, column, row, OVERVIEW_FAINT_RGB, name, duration_us);
}

uint32_t overview_chart_draw(const struct overview_pen *pen, const struct overview *overview,
                             uint32_t column, uint32_t row, uint32_t column_count,
                             uint32_t row_count)
{
    size_t shown_count = overview->phase_count <= row_count ? overview->phase_count : row_count - 1;
    uint32_t next = row;
    uint64_t rest_us = 0;
    for (size_t i = 0; i < overview->phase_count; i++) {
        if (rank(overview, i) < shown_count)
            draw_phase(pen, overview, &overview->phases[i], column, next++, column_count);
        else
            rest_us += overview->phases[i].duration_us;
    }
    if (shown_count < overview->phase_count)
        draw_rest(pen, column, next++, overview->phase_count - shown_count, rest_us);
    return next - row;
}
