#include "kernel/boot/boot_screen.h"

#include "kernel/arch.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/panic_screen.h"
#include "kernel/diagnostics/panic_memory.h"
#include "shared/text/command_line.h"
#include "shared/text/console_font.h"

static void clear(void *context)
{
    framebuffer_text_clear(context);
}

/* The lines of a panic are visible from the first one on, also if the overview is on the screen. */
static void write(void *context, const char *text, size_t length_bytes)
{
    struct framebuffer_text *screen = context;
    if (screen->is_hidden && cpu_current()->panic.depth > 0)
        framebuffer_text_show(screen);
    framebuffer_text_write(context, text, length_bytes);
    arch_flush_pixels(); /* the machine may stop at any time from here on */
}

/* Return false if it has no space for a row of text. */
static bool prepare(struct kernel *kernel, const struct handoff_framebuffer *framebuffer)
{
    void *pixels = boot_stage_access(kernel, phys_addr(framebuffer->base));
    panic_screen_use(framebuffer, pixels);
    return framebuffer_text_initialise(&kernel->screen, framebuffer, pixels, console_font,
                                       kernel->screen_cells, sizeof kernel->screen_cells);
}

bool boot_screen_open(struct kernel *kernel, const struct handoff_framebuffer *framebuffer)
{
    if (!prepare(kernel, framebuffer))
        return false;
    log_add_sink((struct log_sink){write, &kernel->screen, clear});
    return true;
}

/* A quiet boot leaves the picture that is on the screen, until a panic. */
static bool keep_or_open(struct kernel *kernel)
{
    if (!command_line_has(kernel->view.command_line, "quiet"))
        return boot_screen_open(kernel, &kernel->view.framebuffer);
    if (!prepare(kernel, &kernel->view.framebuffer))
        return false;
    log_keep_sink((struct log_sink){write, &kernel->screen, clear});
    return true;
}

void boot_screen(struct kernel *kernel)
{
    panic_memory_open(kernel);
    if (kernel->view.framebuffer_status != HANDOFF_FRAMEBUFFER_OK)
        log_warning("handoff", "no screen: %s; serial only",
                    handoff_framebuffer_text(kernel->view.framebuffer_status));
    else if (!keep_or_open(kernel))
        log_warning("handoff", "the screen is too small for a row of text; serial only");
    else
        kernel->has_screen = true;
}
