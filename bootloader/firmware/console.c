#include "bootloader/firmware/console.h"

#include "bootloader/arch.h"
#include "shared/text/text.h"

void console_initialise(struct console *console, const struct firmware *firmware)
{
    console->firmware = firmware;
    console->log.size_bytes = 0;
    console->shown_size_bytes = 0;
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
    if (firmware_is_sealed(console->firmware))
        return;
    console_output(console, console->log.text + console->shown_size_bytes,
                   console->log.size_bytes - console->shown_size_bytes);
    console->shown_size_bytes = console->log.size_bytes;
}

/* Does the firmware's console reach a serial port? True if a node of the ConOut variable's device
 * path is a UART (UEFI 2.10, section 10.3.4.17). Foreign bytes: lengths are checked. */
static bool console_reaches_serial(const struct console *console)
{
    EFI_RUNTIME_SERVICES *runtime = console->firmware->system_table->RuntimeServices;
    static EFI_GUID guid = EFI_GLOBAL_VARIABLE;
    CHAR16 name[] = {'C', 'o', 'n', 'O', 'u', 't', 0};
    unsigned char path[1024];
    UINTN size_bytes = sizeof(path);

    if (console->firmware->system_table->ConOut == NULL ||
        EFI_ERROR(runtime->GetVariable(name, &guid, NULL, &size_bytes, path)))
        return false;

    for (size_t offset = 0; size_bytes - offset >= sizeof(EFI_DEVICE_PATH);) {
        size_t node_size_bytes = path[offset + 2] | (size_t)path[offset + 3] << 8;
        if (path[offset] == MESSAGING_DEVICE_PATH && path[offset + 1] == MSG_UART_DP)
            return true;
        if (node_size_bytes < sizeof(EFI_DEVICE_PATH) || node_size_bytes > size_bytes - offset)
            return false;
        offset += node_size_bytes;
    }
    return false;
}

void console_show_error(struct console *console, const char *report)
{
    size_t size_bytes = text_length(report);
    if (!console_reaches_serial(console) && arch_serial_initialise())
        arch_serial_write(report, size_bytes);
    loader_log_append(&console->log, report, size_bytes);
    console_show(console);
}
