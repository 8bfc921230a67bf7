#include "kernel/core/log_serial.h"

#include <stdbool.h>

#include "kernel/arch.h"
#include "kernel/core/log.h"

static bool is_chosen;

/* A form feed clears the screen. A terminal knows a sequence for that (ECMA-48: CUP, ED). */
static void write_serial(void *context, const char *text, size_t length_bytes)
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

void log_serial_open(uint16_t port)
{
    if (is_chosen)
        return;
    is_chosen = true;
    if (arch_serial_initialise(port))
        log_add_sink((struct log_sink){write_serial, NULL, NULL});
}

void log_serial_open_default(void)
{
    log_serial_open(arch_serial_default_port());
}
