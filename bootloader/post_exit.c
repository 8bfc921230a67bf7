#include "bootloader/post_exit.h"

#include "bootloader/arch/x86_64/cpu.h"
#include "bootloader/arch/x86_64/serial.h"
#include "shared/text/command_line.h"
#include "shared/text/console_font.h"
#include "shared/text/format.h"

void post_exit_initialise(struct post_exit *post_exit,
                          const struct handoff_framebuffer *framebuffer, const char *command_line)
{
    uint64_t port;
    post_exit->framebuffer = *framebuffer;
    post_exit->page_table_root = 0;
    post_exit->started = false;
    post_exit->debug_exit_port = 0;
    if (command_line_number(command_line, "debug-exit", &port) && port <= UINT16_MAX)
        post_exit->debug_exit_port = (uint16_t)port;
}

/* The framebuffer stands at its physical address under the firmware's tables, and in the direct
 * map under the kernel's first ones. */
static void *post_exit_pixels(const struct post_exit *post_exit)
{
    uint64_t address = post_exit->framebuffer.base;
    if (cpu_read_cr3() == post_exit->page_table_root)
        address += post_exit->direct_map_base;
    return (void *)address;
}

static void post_exit_start(struct post_exit *post_exit)
{
    post_exit->started = true;
    post_exit->serial = serial_initialise();
    post_exit->screen = framebuffer_text_initialise(&post_exit->text, &post_exit->framebuffer,
                                                    post_exit_pixels(post_exit), console_font,
                                                    post_exit->cells, sizeof(post_exit->cells));
    if (post_exit->screen)
        framebuffer_text_clear(&post_exit->text);
}

void post_exit_print(struct post_exit *post_exit, const char *format, ...)
{
    char text[800];
    va_list arguments;

    va_start(arguments, format);
    int wanted = format_text_v(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t length = (size_t)wanted < sizeof(text) ? (size_t)wanted : sizeof(text) - 1;

    if (!post_exit->started)
        post_exit_start(post_exit);
    if (post_exit->serial)
        serial_write(text, length);
    if (post_exit->screen)
        framebuffer_text_write(&post_exit->text, text, length);
}

_Noreturn void post_exit_stop(struct post_exit *post_exit, uint32_t code)
{
    if (post_exit->debug_exit_port != 0)
        cpu_port_write32(post_exit->debug_exit_port, code);
    cpu_halt_forever();
}
