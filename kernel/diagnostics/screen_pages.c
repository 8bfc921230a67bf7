#include "kernel/diagnostics/screen_pages.h"

#include "kernel/arch.h"
#include "kernel/diagnostics/overview_figures.h"
#include "kernel/screen/overview_page.h"

const char *screen_pages_show_overview(struct kernel *kernel)
{
    static struct overview overview;
    struct canvas canvas;
    if (!kernel->has_screen || !canvas_initialise(&canvas, &kernel->view.framebuffer,
                                                  kernel->screen.pixels, kernel->screen.font))
        return "The kernel has no screen.";
    overview_figures_read(kernel, &overview);
    if (!overview_page_draw(&canvas, &overview))
        return "The overview needs a screen of 640 x 480 pixels or more.";
    framebuffer_text_hide(&kernel->screen);
    kernel->shows_overview = true;
    arch_flush_pixels();
    return NULL;
}

void screen_pages_show_log(struct kernel *kernel)
{
    if (!kernel->shows_overview)
        return;
    kernel->shows_overview = false;
    framebuffer_text_show(&kernel->screen);
    arch_flush_pixels();
}

void screen_pages_switch(struct kernel *kernel)
{
    if (kernel->shows_overview)
        screen_pages_show_log(kernel);
    else
        (void)screen_pages_show_overview(kernel);
}
