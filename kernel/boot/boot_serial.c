#include "kernel/boot/boot_serial.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"

static void write_serial(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    arch_serial_write(text, length_bytes);
}

void boot_serial_open(uint16_t port)
{
    if (arch_serial_initialise(port))
        log_add_sink((struct log_sink){write_serial, NULL, NULL});
}
