#include "bootloader/firmware/variable.h"

#include "shared/text/packed_text.h"

/* UEFI 2.10, section 8.2: runtime access lets an operating system read it. */
#define ATTRIBUTES                                                                                 \
    (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* The name, and the header of the firmware's own format: 60 bytes in EDK II. */
#define OVERHEAD_BYTES 256

/* UEFI 2.10, section 4.3. */
#define REVISION_2_00 0x20000

static const CHAR16 record_name[] = {'H', 'a', 'n', 'd', 'o', 'f', 'f', 'P', 'o',
                                     's', 't', 'M', 'o', 'r', 't', 'e', 'm', 0};

static const EFI_GUID record_guid = {
    0x97bf6861, 0xc9d9, 0x464c, {0x88, 0x8a, 0x23, 0x8f, 0x67, 0xb8, 0x87, 0xe8}};

static EFI_RUNTIME_SERVICES *runtime_of(void)
{
    return firmware.system_table->RuntimeServices;
}

EFI_STATUS variable_get(const CHAR16 *name, const EFI_GUID *guid, void *bytes, UINTN *size_bytes)
{
    return runtime_of()->GetVariable((CHAR16 *)name, (EFI_GUID *)guid, NULL, size_bytes, bytes);
}

/* Firmware without Secure Boot has no such variable. */
bool variable_is_secure_boot_on(void)
{
    static const CHAR16 secure_boot[] = L"SecureBoot";
    uint8_t is_on = 0;
    UINTN size_bytes = sizeof(is_on);
    EFI_STATUS status = variable_get(secure_boot, &guid_global_variable, &is_on, &size_bytes);
    return !EFI_ERROR(status) && is_on == 1;
}

EFI_STATUS variable_read(void *bytes, size_t *size_bytes)
{
    UINTN room_bytes = *size_bytes;
    EFI_STATUS status = variable_get(record_name, &record_guid, bytes, &room_bytes);
    *size_bytes = room_bytes;
    return status;
}

/* UEFI 1 has no QueryVariableInfo. */
const char *variable_obstacle(size_t size_bytes)
{
    EFI_RUNTIME_SERVICES *runtime = runtime_of();
    UINT64 storage_bytes = 0;
    UINT64 remaining_bytes = 0;
    UINT64 largest_bytes = 0;
    if (runtime->Hdr.Revision < REVISION_2_00 ||
        EFI_ERROR(runtime->QueryVariableInfo(ATTRIBUTES, &storage_bytes, &remaining_bytes,
                                             &largest_bytes)))
        return PACKED("the firmware does not say how much variable space it has");
    if (largest_bytes < size_bytes + OVERHEAD_BYTES)
        return PACKED("the firmware does not take variables of this size");
    if (remaining_bytes < VARIABLE_SPACE_KEPT_BYTES + size_bytes + OVERHEAD_BYTES)
        return PACKED("less than 5120 bytes of variable space would remain");
    return NULL;
}

EFI_STATUS variable_write(void *bytes, size_t size_bytes)
{
    return runtime_of()->SetVariable((CHAR16 *)record_name, (EFI_GUID *)&record_guid, ATTRIBUTES,
                                     size_bytes, bytes);
}
