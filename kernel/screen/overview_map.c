#include "kernel/screen/overview_map.h"

#include "kernel/screen/overview_text.h"

/* The least width of a part, in pixels of the font. These widths take at most half of the bar. */
#define LEAST_PIXELS 2

static const struct {
    const char *name;
    uint32_t rgb;
} owners[OVERVIEW_OWNER_COUNT] = {
    [OVERVIEW_FREE] = {"free", 0x2f8f63},
    [OVERVIEW_IN_USE] = {"in use", 0xf2c14e},
    [OVERVIEW_KERNEL] = {"kernel", 0x4c9be8},
    [OVERVIEW_EARLY_HEAP] = {"early heap", 0xc08cf0},
    [OVERVIEW_BOOT_DATA] = {"loader", 0x58d0d0},
    [OVERVIEW_FIRMWARE] = {"firmware", 0xe8783c},
    [OVERVIEW_LOW_MEMORY] = {"low memory", 0x8a929c},
    [OVERVIEW_UNUSABLE] = {"not usable", 0xd04a5a},
};

uint32_t overview_owner_rgb(enum overview_owner owner)
{
    return owners[owner].rgb;
}

const char *overview_owner_name(enum overview_owner owner)
{
    return owners[owner].name;
}

void overview_map_bar(const struct overview_pen *pen, const struct overview *overview,
                      const struct overview_box *box)
{
    uint32_t count = (uint32_t)overview->part_count;
    uint32_t least = LEAST_PIXELS * pen->scale;
    if (count > 0 && least > box->width / 2 / count)
        least = box->width / 2 / count;
    uint32_t scaled = box->width - count * least;
    uint64_t before_bytes = 0;
    overview_pen_fill(pen, box, 0, box->width, OVERVIEW_TRACK_RGB);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = i * least + overview_pen_share(scaled, before_bytes, overview->ram_bytes);
        before_bytes += overview->parts[i].size_bytes;
        uint32_t to =
            (i + 1) * least + overview_pen_share(scaled, before_bytes, overview->ram_bytes);
        overview_pen_fill(pen, box, from, to, owners[overview->parts[i].owner].rgb);
    }
}

void overview_map_legend(const struct overview_pen *pen, const struct overview *overview,
                         uint32_t column, uint32_t row, uint32_t column_count)
{
    uint32_t width = column_count / OVERVIEW_LEGEND_COLUMNS;
    for (unsigned i = 0; i < OVERVIEW_OWNER_COUNT; i++) {
        uint32_t left = column + i / OVERVIEW_LEGEND_ROWS * width;
        uint32_t place = row + i % OVERVIEW_LEGEND_ROWS;
        uint64_t bytes = overview->owner_bytes[i];
        overview_pen_swatch(pen, left, place, owners[i].rgb);
        (void)overview_pen_text(pen, left + 2, place, OVERVIEW_TEXT_RGB, owners[i].name);
        (void)overview_pen_text(pen, left + 13, place, OVERVIEW_FAINT_RGB,
                                bytes == 0 ? "none" : overview_size(bytes).text);
    }
}
