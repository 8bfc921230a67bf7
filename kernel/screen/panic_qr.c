#include "kernel/screen/panic_qr.h"

#include "kernel/screen/panic_layout.h"
#include "shared/text/console_font.h"

#define MODULE_PIXELS_MIN 2
#define LIGHT_RGB         UINT32_C(0xffffff)
#define DARK_RGB          UINT32_C(0x000000)

static const char caption[] = "The report, for a phone:";

/* Return the largest version whose modules have enough pixels; 0 for none. */
static unsigned find_version(const struct panic_box *box)
{
    unsigned version = QR_VERSION_MAX;
    while (version > 0 &&
           (QR_SIZE_MODULES(version) + 2 * QR_QUIET_MODULES) * MODULE_PIXELS_MIN > box->side_pixels)
        version--;
    return version;
}

static bool encode(struct panic_qr *qr, const struct panic_box *box, const char *report,
                   size_t size_bytes)
{
    unsigned version = find_version(box);
    if (version == 0)
        return false;
    struct qr_shape shape = qr_shape(version, QR_LEVEL_LOW);
    report_text_write(&qr->text, report, size_bytes, qr_shape_capacity(&shape));
    return qr->text.length != 0 &&
           qr_code_encode(&qr->code, qr->text.text, qr->text.length, version);
}

/* Draw a row of modules: one rectangle for dark modules side by side. */
static void draw_row(const struct canvas *canvas, const struct qr_matrix *matrix, unsigned y,
                     uint32_t left, uint32_t top, uint32_t module_pixels)
{
    unsigned start = 0; /* the first module of the same colour */
    for (unsigned x = 1; x <= matrix->size_modules; x++) {
        bool is_dark = qr_matrix_is_dark(matrix, start, y);
        if (x < matrix->size_modules && qr_matrix_is_dark(matrix, x, y) == is_dark)
            continue;
        if (is_dark)
            canvas_fill(canvas, left + start * module_pixels, top, (x - start) * module_pixels,
                        module_pixels, DARK_RGB);
        start = x;
    }
}

/* Write the caption above a code, from its left edge on, or up to the edge of the box. */
static void write_caption(const struct canvas *canvas, const struct panic_box *box, uint32_t left,
                          uint32_t top)
{
    const struct canvas_style style = {box->scale, PANIC_LABEL_RGB, PANIC_PAPER_RGB};
    uint32_t width_pixels = (sizeof caption - 1) * CONSOLE_FONT_WIDTH_PIXELS * box->scale;
    uint32_t last = box->left + box->side_pixels - width_pixels;
    canvas_text(canvas, left < last ? left : last, top - CONSOLE_FONT_HEIGHT_PIXELS * box->scale,
                &style, caption, sizeof caption - 1);
}

/* Draw the code in the lower right corner of the box. */
static void draw(const struct canvas *canvas, const struct qr_matrix *matrix,
                 const struct panic_box *box)
{
    uint32_t modules = matrix->size_modules + 2 * QR_QUIET_MODULES;
    uint32_t module_pixels = box->side_pixels / modules;
    uint32_t side_pixels = modules * module_pixels;
    uint32_t left = box->left + box->side_pixels - side_pixels;
    uint32_t top = box->top + box->side_pixels - side_pixels;
    write_caption(canvas, box, left, top);
    canvas_fill(canvas, left, top, side_pixels, side_pixels, LIGHT_RGB);
    for (unsigned y = 0; y < matrix->size_modules; y++)
        draw_row(canvas, matrix, y, left + QR_QUIET_MODULES * module_pixels,
                 top + (QR_QUIET_MODULES + y) * module_pixels, module_pixels);
}

bool panic_qr_draw(const struct canvas *canvas, struct panic_qr *qr, const char *report,
                   size_t size_bytes)
{
    struct panic_box box;
    if (!panic_layout_find_box(canvas, &box) || !encode(qr, &box, report, size_bytes))
        return false;
    draw(canvas, &qr->code.matrix, &box);
    return true;
}
