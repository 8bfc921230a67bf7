#include "bootloader/firmware/console.h"

#include "bootloader/arch.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"
#include "shared/text/text.h"

struct console console;

void console_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(&console.log, "", format, arguments);
    va_end(arguments);
}

void console_log_packed(struct packed_text format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(&console.log, "", packed_text_read(format.text), arguments);
    va_end(arguments);
}

void console_warn_packed(struct packed_text format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(&console.log, "warning: ", packed_text_read(format.text), arguments);
    va_end(arguments);
}

/* UEFI 2.10, section 12.4.3: UTF-16, and a line ends in CR LF. Everything here is ASCII. */
static void output_text(SIMPLE_TEXT_OUTPUT_INTERFACE *output, const char *text, size_t size_bytes)
{
    CHAR16 wide[512];
    size_t length = 0;

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

static bool begins_with(const char *line, size_t size_bytes, const char *start)
{
    size_t i = 0;
    while (i < size_bytes && start[i] != '\0' && line[i] == start[i])
        i++;
    return start[i] == '\0';
}

/* A firmware that refuses an attribute keeps the one that it has. */
static void output_in_colour(SIMPLE_TEXT_OUTPUT_INTERFACE *output, UINTN colour, const char *line,
                             size_t size_bytes)
{
    UINTN usual = output->Mode == NULL ? EFI_LIGHTGRAY : (UINTN)output->Mode->Attribute;
    output->SetAttribute(output, colour);
    output_text(output, line, size_bytes);
    output->SetAttribute(output, usual);
}

static void output_line(SIMPLE_TEXT_OUTPUT_INTERFACE *output, const char *line, size_t size_bytes)
{
    if (begins_with(line, size_bytes, "warning: "))
        output_in_colour(output, EFI_YELLOW, line, size_bytes);
    else if (begins_with(line, size_bytes, "HL-"))
        output_in_colour(output, EFI_LIGHTRED, line, size_bytes);
    else
        output_text(output, line, size_bytes);
}

static void console_output(const char *text, size_t size_bytes)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *output = firmware.system_table->ConOut;
    size_t start = 0;

    if (output == NULL)
        return;
    for (size_t i = 0; i < size_bytes && console.has_colour; i++) {
        if (text[i] != '\n')
            continue;
        output_line(output, text + start, i + 1 - start);
        start = i + 1;
    }
    output_text(output, text + start, size_bytes - start);
}

static void write_serial(const char *report, size_t size_bytes)
{
    static const char red[] = "\033[1;31m";
    static const char plain[] = "\033[0m";
    if (console.has_colour)
        arch_serial_write(red, sizeof(red) - 1);
    arch_serial_write(report, size_bytes);
    if (console.has_colour)
        arch_serial_write(plain, sizeof(plain) - 1);
}

void console_show(void)
{
    if (console.is_quiet || firmware_is_sealed())
        return;
    console_output(console.log.text + console.shown_size_bytes,
                   console.log.size_bytes - console.shown_size_bytes);
    console.shown_size_bytes = console.log.size_bytes;
}

void console_show_passing(const char *format, ...)
{
    char text[80];
    va_list arguments;
    if (console.is_quiet || firmware_is_sealed())
        return;
    va_start(arguments, format);
    format_text_v(text, sizeof(text), format, arguments);
    va_end(arguments);
    console_show();
    console_output(text, text_length(text));
}

/* The screen comes first: it does not wait for a serial port that takes no byte. */
void console_show_error(const char *report, const struct serial_choice *serial)
{
    size_t size_bytes = text_length(report);
    console.is_quiet = false;
    loader_log_append(&console.log, report, size_bytes);
    console_show();
    if (!serial->is_firmware_console && arch_serial_initialise(serial->port))
        write_serial(report, size_bytes);
}
