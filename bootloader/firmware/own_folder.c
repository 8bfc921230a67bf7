#include "bootloader/firmware/own_folder.h"

#include "bootloader/pure/number_at.h"

/* The limit ends the walk over a device path without an end. */
#define NODE_LIMIT 64

struct writer {
    char *path;
    size_t capacity_bytes;
    size_t length;
};

/* Two backslashes are one. */
static bool put(struct writer *writer, unsigned character)
{
    if (character == '\\' && writer->length > 0 && writer->path[writer->length - 1] == '\\')
        return true;
    if (character < ' ' || character > '~' || writer->length == writer->capacity_bytes)
        return false;
    writer->path[writer->length++] = (char)character;
    return true;
}

/* A node has a part of the path, and ends with a NUL or at its end (UEFI 2.10, section 10.3.5.4).
 * The backslash between two nodes may be missing. */
static bool put_node(struct writer *writer, const uint8_t *node, size_t size_bytes)
{
    for (size_t i = sizeof(EFI_DEVICE_PATH); i + 1 < size_bytes; i += 2) {
        unsigned character = (unsigned)number_at(node + i, 2);
        if (character == 0)
            break;
        if (i == sizeof(EFI_DEVICE_PATH) && character != '\\' && !put(writer, '\\'))
            return false;
        if (!put(writer, character))
            return false;
    }
    return true;
}

bool own_folder_find(char *path, size_t capacity_bytes)
{
    const EFI_DEVICE_PATH *node = firmware.loaded_image->FilePath;
    struct writer writer = {path, capacity_bytes, 0};
    for (unsigned i = 0; node != NULL && i < NODE_LIMIT && !IsDevicePathEnd(node); i++) {
        size_t size_bytes = (size_t)DevicePathNodeLength(node);
        if (size_bytes < sizeof(EFI_DEVICE_PATH))
            break;
        if (DevicePathType(node) == MEDIA_DEVICE_PATH &&
            DevicePathSubType(node) == MEDIA_FILEPATH_DP &&
            !put_node(&writer, (const uint8_t *)node, size_bytes))
            return false;
        node = (const EFI_DEVICE_PATH *)((const uint8_t *)node + size_bytes);
    }
    if (writer.length == 0)
        return false;
    while (path[--writer.length] != '\\')
        continue;
    path[writer.length] = '\0';
    return true;
}
