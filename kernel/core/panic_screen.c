#include "kernel/core/panic_screen.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "kernel/screen/canvas.h"
#include "kernel/screen/panic_layout.h"
#include "shared/text/console_font.h"
#include "shared/text/text.h"

#define LOG_CAPACITY_BYTES 1536

static const struct handoff_framebuffer *used_framebuffer; /* NULL without a screen */
static void *used_pixels;
static struct panic_page page;
static bool is_drawing;

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

void panic_screen_add(enum panic_part part, const char *line)
{
    panic_page_add(&page, part, line, text_length(line));
}

void panic_screen_show(void)
{
    struct canvas canvas;
    if (used_framebuffer == NULL || is_drawing)
        return;
    is_drawing = true;
    if (canvas_initialise(&canvas, used_framebuffer, used_pixels, console_font) &&
        panic_layout_draw(&canvas, &page))
        arch_flush_pixels();
    is_drawing = false;
}
