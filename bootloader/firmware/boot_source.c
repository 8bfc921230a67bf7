#include "bootloader/firmware/boot_source.h"

#include "shared/memory.h"

/* The limit ends the walk over a device path without an end. Real ones have about ten nodes. */
#define NODE_LIMIT 64

/* UEFI 2.10, table 10-49: a hard drive's node, up to the type of its signature. */
#define DRIVE_NODE_SIZE_BYTES 42

/* Write the GUID of this node's partition. False if the node is no partition, or has no GUID. */
static bool read_guid(const EFI_DEVICE_PATH *node, uint8_t ret_guid[16])
{
    const HARDDRIVE_DEVICE_PATH *drive = (const HARDDRIVE_DEVICE_PATH *)node;
    if (DevicePathType(node) != MEDIA_DEVICE_PATH ||
        DevicePathSubType(node) != MEDIA_HARDDRIVE_DP ||
        DevicePathNodeLength(node) < DRIVE_NODE_SIZE_BYTES ||
        drive->SignatureType != SIGNATURE_TYPE_GUID)
        return false;
    memcpy(ret_guid, drive->Signature, 16);
    return true;
}

/* The last partition on the device path (UEFI 2.10, section 10.3.5.1). */
static enum handoff_boot_source read_path(const EFI_DEVICE_PATH *node, uint8_t ret_partition[16])
{
    enum handoff_boot_source source = HANDOFF_BOOT_SOURCE_VOLUME;
    for (unsigned i = 0; i < NODE_LIMIT && !IsDevicePathEnd(node); i++) {
        if (read_guid(node, ret_partition))
            source = HANDOFF_BOOT_SOURCE_PARTITION;
        if ((UINTN)DevicePathNodeLength(node) < sizeof(EFI_DEVICE_PATH))
            break;
        node = (const EFI_DEVICE_PATH *)((const uint8_t *)node + DevicePathNodeLength(node));
    }
    return source;
}

enum handoff_boot_source boot_source_find(uint8_t ret_partition[16])
{
    void *path;
    if (EFI_ERROR(
            firmware_protocol(firmware.loaded_image->DeviceHandle, &guid_device_path, &path)) ||
        path == NULL)
        return HANDOFF_BOOT_SOURCE_UNKNOWN;
    return read_path(path, ret_partition);
}

/* The shell puts this protocol on each program that it starts (UEFI Shell Specification 2.2, section
 * 2.3). The last bytes are decimal, because one of them is the number of a port. */
bool boot_source_is_shell(void)
{
    static const EFI_GUID guid = {
        0x752f3136, 0x4e16, 0x4fdc, {162, 42, 229, 244, 104, 18, 244, 202}};
    void *parameters;
    return !EFI_ERROR(firmware_protocol(firmware.image, &guid, &parameters));
}
