#include "kernel/core/log_serial.h"

#include <stdbool.h>

#include "kernel/arch.h"
#include "kernel/core/log.h"

static bool is_chosen;

static void write_serial(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    arch_serial_write(text, length_bytes);
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
