#include "kernel/screen/overview_heaps.h"

#include "kernel/screen/overview_map.h"
#include "kernel/screen/overview_text.h"
#include "shared/text/format.h"

#define LABEL_COLUMNS 12
#define LEVEL_LIMIT   4
#define BAR_INSET     3
/* With fewer columns, the gaps between the figures are smaller. */
#define WIDE_COLUMNS 90
/* The least width of a level, in pixels of the font. */
#define LEAST_PIXELS 2

/* A figure of a heap. The levels of a heap increase, and the last is the whole bar. */
struct level {
    const char *name;
    uint64_t bytes;
    uint32_t rgb;
};

struct row_of_levels {
    const char *label;
    const char *note; /* after the legend */
    struct level levels[LEVEL_LIMIT];
    uint32_t level_count;
};

static void draw_bar(const struct overview_pen *pen, const struct row_of_levels *heap,
                     const struct overview_box *box)
{
    uint32_t from = 0;
    uint32_t least = LEAST_PIXELS * pen->scale;
    uint64_t before_bytes = 0;
    uint64_t whole_bytes = heap->levels[heap->level_count - 1].bytes;
    overview_pen_fill(pen, box, 0, box->width, OVERVIEW_TRACK_RGB);
    for (uint32_t i = 0; i < heap->level_count; i++) {
        uint32_t to = overview_pen_share(box->width, heap->levels[i].bytes, whole_bytes);
        if (heap->levels[i].bytes <= before_bytes)
            continue;
        before_bytes = heap->levels[i].bytes;
        if (to < from + least)
            to = from + least < box->width ? from + least : box->width;
        overview_pen_fill(pen, box, from, to, heap->levels[i].rgb);
        from = to;
    }
}

static void draw_heap(const struct overview_pen *pen, const struct row_of_levels *heap,
                      uint32_t column, uint32_t row, uint32_t column_count)
{
    uint32_t left = column + LABEL_COLUMNS;
    struct overview_box box =
        overview_pen_box(pen, left, row, column_count - LABEL_COLUMNS, 1, BAR_INSET);
    (void)overview_pen_text(pen, column, row, OVERVIEW_TEXT_RGB, heap->label);
    draw_bar(pen, heap, &box);
    for (uint32_t i = 0; i < heap->level_count; i++) {
        overview_pen_swatch(pen, left, row + 1, heap->levels[i].rgb);
        left = overview_pen_text(pen, left + 2, row + 1, OVERVIEW_FAINT_RGB, heap->levels[i].name);
        left = overview_pen_text(pen, left + 1, row + 1, OVERVIEW_TEXT_RGB,
                                 overview_size(heap->levels[i].bytes).text);
        left += column_count < WIDE_COLUMNS ? 1 : 2;
    }
    (void)overview_pen_text(pen, left + 1, row + 1, OVERVIEW_FAINT_RGB, heap->note);
}

static const char *early_heap_note(const struct overview_early_heap *heap)
{
    if (heap->is_retired)
        return "retired, rest freed";
    return heap->is_fallback ? "fallback region" : "";
}

void overview_heaps_draw(const struct overview_pen *pen, const struct overview *overview,
                         uint32_t column, uint32_t row, uint32_t column_count)
{
    const struct overview_early_heap *early = &overview->early_heap;
    const struct overview_heap *heap = &overview->heap;
    const struct row_of_levels first = {
        "Early",
        early_heap_note(early),
        {{"used", early->used_bytes, overview_owner_rgb(OVERVIEW_EARLY_HEAP)},
         {"peak", early->peak_bytes, 0x785098},
         {"size", early->size_bytes, 0x403450}},
        3};
    const struct row_of_levels second = {
        "Permanent",
        "",
        {{"used", heap->used_bytes, overview_owner_rgb(OVERVIEW_IN_USE)},
         {"mapped", heap->mapped_bytes, 0xa8842c},
         {"window", heap->window_bytes, 0x685828},
         {"limit", heap->limit_bytes, 0x383630}},
        4};
    draw_heap(pen, &first, column, row, column_count);
    draw_heap(pen, &second, column, row + 2, column_count);
}
