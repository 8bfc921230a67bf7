/*
 * volume.c - the firmware's drivers have no data about the volume while a test takes the snapshot.
 * So they read the volume of the restored machine. The disks of all cases have the same partition
 * table. There only the driver of the file system is stopped and started: ConnectController() would
 * ask all drivers of the firmware, which takes three times as long. Each disc has another table, so
 * there the storage controller is disconnected.
 */
#include "tests/qemu/conductor/stage.h"

#include <efipciio.h>

static EFI_HANDLE device;
static EFI_DRIVER_BINDING *driver; /* of the file system; NULL for a disc */

static bool is_disc(const EFI_DEVICE_PATH *node)
{
    for (; !IsDevicePathEndType(node); node = NextDevicePathNode(node))
        if (DevicePathType(node) == MEDIA_DEVICE_PATH && DevicePathSubType(node) == MEDIA_CDROM_DP)
            return true;
    return false;
}

/* Find the driver that has opened the partition's reads and writes. */
static EFI_STATUS find_driver(EFI_HANDLE volume)
{
    static EFI_GUID disk_guid = EFI_DISK_IO_PROTOCOL_GUID;
    static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *users;
    UINTN count;
    EFI_STATUS status = stage.firmware->OpenProtocolInformation(volume, &disk_guid, &users, &count);
    if (EFI_ERROR(status))
        return status;
    status = EFI_NOT_FOUND;
    for (UINTN i = 0; i < count && EFI_ERROR(status); i++)
        if (users[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER)
            status = stage.firmware->HandleProtocol(users[i].AgentHandle, &binding_guid,
                                                    (VOID **)&driver);
    stage.firmware->FreePool(users);
    return status;
}

EFI_STATUS volume_disconnect(EFI_HANDLE volume)
{
    static EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
    static EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_DEVICE_PATH *path;
    EFI_STATUS status = stage.firmware->HandleProtocol(volume, &path_guid, (VOID **)&path);
    if (EFI_ERROR(status))
        return status;
    if (is_disc(path)) {
        status = stage.firmware->LocateDevicePath(&pci_guid, &path, &device);
        return EFI_ERROR(status) ? status
                                 : stage.firmware->DisconnectController(device, NULL, NULL);
    }
    device = volume;
    status = find_driver(volume);
    return EFI_ERROR(status) ? status : driver->Stop(driver, volume, 0, NULL);
}

EFI_STATUS volume_connect(void)
{
    if (driver != NULL)
        return driver->Start(driver, device, NULL);
    return stage.firmware->ConnectController(device, NULL, NULL, TRUE);
}
