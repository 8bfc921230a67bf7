#include "bootloader/pure/config_value.h"

/* UEFI paths are relative to the volume, with backslashes (UEFI 2.10, 13.5, EFI_FILE_PROTOCOL). */
enum config_status config_value_path(struct piece value, char path[CONFIG_PATH_CAPACITY])
{
    size_t length = 0;
    if (value.length == 0)
        return CONFIG_EMPTY_VALUE;
    if (value.text[0] != '\\' && value.text[0] != '/')
        path[length++] = '\\';
    if (value.length > CONFIG_PATH_CAPACITY - 1 - length)
        return CONFIG_PATH_TOO_LONG;
    if (!config_value_is_printable(value))
        return CONFIG_PATH_NOT_ASCII;
    for (size_t i = 0; i < value.length; i++) {
        char character = value.text[i];
        if (character == '.' && i > 0 && value.text[i - 1] == '.')
            return CONFIG_PATH_ESCAPES;
        path[length++] = character == '/' ? '\\' : character;
    }
    path[length] = '\0';
    return CONFIG_OK;
}

bool config_value_is_printable(struct piece value)
{
    size_t i = 0;
    while (i < value.length && value.text[i] >= 0x20 && value.text[i] <= 0x7e)
        i++;
    return i == value.length;
}
