#include "bootloader/firmware/firmware.h"

_Static_assert(EFI_ABORTED == (ERROR_STATUS_ERROR_BIT | 21), "error.h has UEFI's numbers");

/* Non-canonical with four and with five levels of page tables: any access is a #GP. */
#define FIRMWARE_SEALED UINT64_C(0xdead000000000000)

const EFI_GUID guid_device_path = EFI_DEVICE_PATH_PROTOCOL_GUID;
const EFI_GUID guid_global_variable = EFI_GLOBAL_VARIABLE;
const EFI_GUID guid_graphics_output = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
const EFI_GUID guid_loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;

struct firmware firmware;

EFI_STATUS firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    firmware.image = image;
    firmware.system_table = system_table;
    firmware.services = system_table->BootServices;
    return firmware.services->SetWatchdogTimer(0, 0, 0, NULL);
}

EFI_STATUS firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **ret_interface)
{
    *ret_interface = NULL;
    return firmware.services->HandleProtocol(handle, (EFI_GUID *)guid, ret_interface);
}

void *firmware_service(const EFI_GUID *guid)
{
    void *interface = NULL;
    EFI_STATUS status = firmware.services->LocateProtocol((EFI_GUID *)guid, NULL, &interface);
    return EFI_ERROR(status) ? NULL : interface;
}

enum loader_error firmware_find_image(void)
{
    void *interface;
    EFI_STATUS status = firmware_protocol(firmware.image, &guid_loaded_image, &interface);
    if (EFI_ERROR(status) || interface == NULL)
        return error_set(LOADER_ERROR_NO_LOADED_IMAGE, status, "loaded-image protocol");

    firmware.loaded_image = interface;
    return LOADER_OK;
}

void firmware_seal(void)
{
    firmware.services = (EFI_BOOT_SERVICES *)FIRMWARE_SEALED;
}

bool firmware_is_sealed(void)
{
    return (uint64_t)firmware.services == FIRMWARE_SEALED;
}
