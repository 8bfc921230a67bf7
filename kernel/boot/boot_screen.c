#include "kernel/boot/boot_screen.h"

#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"
#include "shared/text/console_font.h"

static void clear(void *context)
{
    framebuffer_text_clear(context);
}

static void write(void *context, const char *text, size_t length_bytes)
{
    framebuffer_text_write(context, text, length_bytes);
}

bool boot_screen_open(struct kernel *kernel, const struct handoff_framebuffer *framebuffer)
{
    void *pixels = boot_stage_access(kernel, phys_addr(framebuffer->base));
    if (!framebuffer_text_initialise(&kernel->screen, framebuffer, pixels, console_font,
                                     kernel->screen_cells, sizeof kernel->screen_cells))
        return false;
    log_add_sink((struct log_sink){write, &kernel->screen, clear});
    return true;
}

void boot_screen(struct kernel *kernel)
{
    if (kernel->view.framebuffer_status != HANDOFF_FRAMEBUFFER_OK)
        log_warning("handoff", "no screen: %s; serial only",
                    handoff_framebuffer_text(kernel->view.framebuffer_status));
    else if (!boot_screen_open(kernel, &kernel->view.framebuffer))
        log_warning("handoff", "the screen is too small for a row of text; serial only");
    else
        kernel->has_screen = true;
}
