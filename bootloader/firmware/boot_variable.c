#include "bootloader/firmware/boot_variable.h"

#include "bootloader/firmware/variable.h"
#include "bootloader/firmware/wide_text.h"

#define NAME_CAPACITY 32

/* Of the Boot Loader Interface. */
static const EFI_GUID guid = {
    0x4a67b082, 0x0a4c, 0x41cf, {0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f}};

EFI_STATUS boot_variable_write(const char *name, enum boot_variable_kind kind, const void *bytes,
                               size_t size_bytes)
{
    CHAR16 wide_name[NAME_CAPACITY];
    wide_text(name, wide_name, NAME_CAPACITY);
    return firmware.system_table->RuntimeServices->SetVariable(
        wide_name, (EFI_GUID *)&guid, (UINT32)kind, size_bytes, (void *)bytes);
}

bool boot_variable_read_id(const char *name, char ret_id[CONFIG_ID_CAPACITY])
{
    CHAR16 wide_name[NAME_CAPACITY];
    CHAR16 text[CONFIG_ID_CAPACITY];
    UINTN size_bytes = sizeof(text);
    ret_id[0] = '\0';
    wide_text(name, wide_name, NAME_CAPACITY);
    EFI_STATUS status = variable_get(wide_name, &guid, text, &size_bytes);
    return status == EFI_NOT_FOUND ||
           (!EFI_ERROR(status) && entry_id_copy_wide(text, size_bytes, ret_id));
}
