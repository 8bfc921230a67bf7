#include "bootloader/firmware/program.h"

#include "bootloader/firmware/wide_text.h"
#include "bootloader/pure/config.h"
#include "shared/memory.h"

/* The limit ends the walk over a device path without an end. Real ones have about 60 bytes. */
#define DEVICE_PATH_LIMIT_BYTES 1024

/* The device path of a file: that of its device, and behind it this (UEFI 2.10, section 10.3.5.4). */
struct __attribute__((packed)) file_node {
    EFI_DEVICE_PATH header;
    CHAR16 path[CONFIG_PATH_CAPACITY];
    EFI_DEVICE_PATH end;
};

/* Return the bytes before the end of a device path, or DEVICE_PATH_LIMIT_BYTES for a wrong one. */
static size_t measure(const uint8_t *path)
{
    size_t size_bytes = 0;
    const EFI_DEVICE_PATH *node = (const EFI_DEVICE_PATH *)path;
    while (!IsDevicePathEnd(node)) {
        size_t node_bytes = (size_t)DevicePathNodeLength(node);
        size_bytes += node_bytes;
        if (node_bytes < sizeof(*node) || size_bytes >= DEVICE_PATH_LIMIT_BYTES)
            return DEVICE_PATH_LIMIT_BYTES;
        node = (const EFI_DEVICE_PATH *)(path + size_bytes);
    }
    return size_bytes;
}

static void fill_node(struct file_node *node, const char *path)
{
    wide_text(path, node->path, CONFIG_PATH_CAPACITY);
    node->header = (EFI_DEVICE_PATH){MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, {0}};
    SetDevicePathNodeLength(&node->header, offsetof(struct file_node, end));
    SetDevicePathEndNode(&node->end);
}

/* Return the device path of a file on the loader's volume, or NULL if the volume has none. By it, the
 * application finds the volume that it came from. */
static EFI_DEVICE_PATH *path_of(const char *path)
{
    static uint8_t bytes[DEVICE_PATH_LIMIT_BYTES + sizeof(struct file_node)];
    void *device;
    if (EFI_ERROR(
            firmware_protocol(firmware.loaded_image->DeviceHandle, &guid_device_path, &device)) ||
        device == NULL)
        return NULL;
    size_t device_bytes = measure(device);
    if (device_bytes == DEVICE_PATH_LIMIT_BYTES)
        return NULL;
    memcpy(bytes, device, device_bytes);
    fill_node((struct file_node *)(bytes + device_bytes), path);
    return (EFI_DEVICE_PATH *)bytes;
}

static EFI_STATUS set_options(EFI_HANDLE image, const char *options)
{
    static CHAR16 wide[CONFIG_COMMAND_LINE_CAPACITY]; /* in use until the application ends */
    void *interface;
    EFI_STATUS status = firmware_protocol(image, &guid_loaded_image, &interface);
    if (EFI_ERROR(status) || options[0] == '\0')
        return status;
    EFI_LOADED_IMAGE *loaded = interface;
    loaded->LoadOptionsSize = (UINT32)wide_text(options, wide, CONFIG_COMMAND_LINE_CAPACITY);
    loaded->LoadOptions = wide;
    return EFI_SUCCESS;
}

/* With a security violation, the image is loaded, and must not start (UEFI 2.10, section 7.4.1). */
enum loader_error program_load(const struct file *file, const char *options,
                               struct program *ret_program)
{
    EFI_HANDLE image = NULL;
    EFI_STATUS status = firmware.services->LoadImage(FALSE, firmware.image, path_of(file->path),
                                                     (void *)file->bytes, file->size_bytes, &image);
    if (!EFI_ERROR(status))
        status = set_options(image, options);
    if (!EFI_ERROR(status)) {
        *ret_program = (struct program){file->path, image};
        return LOADER_OK;
    }
    if (image != NULL)
        firmware.services->UnloadImage(image);
    return error_set(LOADER_ERROR_PROGRAM_REFUSED, status, "%s", file->path);
}

enum loader_error program_start(const struct program *program)
{
    EFI_STATUS status = firmware.services->StartImage(program->image, NULL, NULL);
    if (EFI_ERROR(status))
        return error_set(LOADER_ERROR_PROGRAM_FAILED, status, "%s", program->path);
    return LOADER_OK;
}
