#include "bootloader/firmware/console.h"

#include "bootloader/arch.h"
#include "shared/text/text.h"

void console_initialise(struct console *console, const struct firmware *firmware)
{
    console->firmware = firmware;
    console->log.size_bytes = 0;
    console->shown_size_bytes = 0;
    console->is_quiet = false;
}

void console_log(struct console *console, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(&console->log, "", format, arguments);
    va_end(arguments);
}

void console_warn(struct console *console, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(&console->log, "warning: ", format, arguments);
    va_end(arguments);
}

/* UEFI 2.10, section 12.4.3: UTF-16, and a line ends in CR LF. Everything here is ASCII. */
static void console_output(const struct console *console, const char *text, size_t size_bytes)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *output = console->firmware->system_table->ConOut;
    CHAR16 wide[512];
    size_t length = 0;

    if (output == NULL)
        return;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] == '\n')
            wide[length++] = '\r';
        wide[length++] = (CHAR16)(unsigned char)text[i];
        if (length >= sizeof(wide) / sizeof(wide[0]) - 3 || i + 1 == size_bytes) {
            wide[length] = 0;
            output->OutputString(output, wide);
            length = 0;
        }
    }
}

void console_show(struct console *console)
{
    if (console->is_quiet || firmware_is_sealed(console->firmware))
        return;
    console_output(console, console->log.text + console->shown_size_bytes,
                   console->log.size_bytes - console->shown_size_bytes);
    console->shown_size_bytes = console->log.size_bytes;
}

/* The screen comes first: it does not wait for a serial port that takes no byte. */
void console_show_error(struct console *console, const char *report,
                        const struct serial_choice *serial)
{
    size_t size_bytes = text_length(report);
    console->is_quiet = false;
    loader_log_append(&console->log, report, size_bytes);
    console_show(console);
    if (!serial->is_firmware_console && arch_serial_initialise(serial->port))
        arch_serial_write(report, size_bytes);
}
