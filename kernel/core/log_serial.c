#include "kernel/core/log_serial.h"

#include <stdbool.h>

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/log_colour.h"
#include "shared/text/command_line.h"

static bool is_chosen;
static bool has_colour;
static struct log_colour colour;

/* A form feed clears the screen. A terminal knows a sequence for that (ECMA-48: CUP, ED). */
static void send(void *context, const char *text, size_t length_bytes)
{
    static const char clear[] = "\033[H\033[2J";
    (void)context;
    size_t from = 0;
    for (size_t i = 0; i < length_bytes; i++) {
        if (text[i] != '\f')
            continue;
        arch_serial_write(text + from, i - from);
        arch_serial_write(clear, sizeof clear - 1);
        from = i + 1;
    }
    arch_serial_write(text + from, length_bytes - from);
}

static void write_serial(void *context, const char *text, size_t length_bytes)
{
    if (has_colour && !log_is_plain())
        log_colour_write(&colour, text, length_bytes, send, context);
    else
        send(context, text, length_bytes);
}

void log_serial_open(uint16_t port, const char *command_line)
{
    if (is_chosen)
        return;
    is_chosen = true;
    has_colour = command_line_is(command_line, "colour", "on");
    if (arch_serial_initialise(port))
        log_add_sink((struct log_sink){write_serial, NULL, NULL});
}

void log_serial_open_default(void)
{
    log_serial_open(arch_serial_default_port(), "");
}
