#include "kernel/core/panic_screen.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "kernel/screen/canvas.h"
#include "kernel/screen/panic_layout.h"
#include "kernel/screen/panic_qr.h"
#include "shared/memory.h"
#include "shared/text/console_font.h"
#include "shared/text/text.h"

#define LOG_CAPACITY_BYTES 1536

static const struct handoff_framebuffer *used_framebuffer; /* NULL without a screen */
static void *used_pixels;
static struct panic_page page;
static char report[DEFLATE_INPUT_LIMIT_BYTES];
static size_t report_size_bytes;
static bool is_report_full;
static struct panic_qr qr;

static enum { IDLE, DRAWING_TEXT, DRAWING_CODE } state;

void panic_screen_use(const struct handoff_framebuffer *framebuffer, void *pixels)
{
    used_framebuffer = framebuffer;
    used_pixels = pixels;
}

void panic_screen_take_log(void)
{
    char newest[LOG_CAPACITY_BYTES];
    panic_page_add_log(&page, newest, log_copy_newest(newest, sizeof newest));
}

/* A report that is too long loses its last lines. */
static void add_to_report(const char *line)
{
    size_t length = text_length(line);
    if (length + 1 > sizeof report - report_size_bytes)
        is_report_full = true;
    if (is_report_full)
        return;
    memcpy(report + report_size_bytes, line, length);
    report_size_bytes += length;
    report[report_size_bytes++] = '\n';
}

void panic_screen_add(enum panic_part part, const char *text, const char *line)
{
    panic_page_add(&page, part, text, text_length(text));
    add_to_report(line);
}

static void draw_code(const struct canvas *canvas)
{
    state = DRAWING_CODE;
    if (panic_qr_draw(canvas, &qr, report, report_size_bytes))
        arch_flush_pixels();
}

void panic_screen_show(void)
{
    struct canvas canvas;
    bool is_again = state == DRAWING_CODE;
    if (used_framebuffer == NULL || state == DRAWING_TEXT)
        return;
    state = DRAWING_TEXT;
    if (canvas_initialise(&canvas, used_framebuffer, used_pixels, console_font) &&
        panic_layout_draw(&canvas, &page)) {
        arch_flush_pixels();
        if (!is_again)
            draw_code(&canvas);
    }
    state = IDLE;
}
