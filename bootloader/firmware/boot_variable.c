#include "bootloader/firmware/boot_variable.h"

#include "bootloader/firmware/wide_text.h"

#define NAME_CAPACITY 32

/* UEFI 2.10, section 8.2: runtime access lets an operating system read it. */
#define ATTRIBUTES (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* Of the Boot Loader Interface. */
static EFI_GUID guid = {
    0x4a67b082, 0x0a4c, 0x41cf, {0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f}};

static EFI_STATUS set(const char *name, UINT32 attributes, const void *bytes, size_t size_bytes)
{
    CHAR16 wide_name[NAME_CAPACITY];
    wide_text(name, wide_name, NAME_CAPACITY);
    return firmware.system_table->RuntimeServices->SetVariable(wide_name, &guid, attributes,
                                                               size_bytes, (void *)bytes);
}

EFI_STATUS boot_variable_write(const char *name, bool is_kept, const void *bytes, size_t size_bytes)
{
    return set(name, ATTRIBUTES | (is_kept ? EFI_VARIABLE_NON_VOLATILE : 0), bytes, size_bytes);
}

EFI_STATUS boot_variable_write_text(const char *name, bool is_kept, const char *text,
                                    size_t size_bytes)
{
    static CHAR16 wide[BOOT_VARIABLE_TEXT_CAPACITY]; /* too large for the firmware's stack */
    for (size_t i = 0; i < size_bytes; i++)
        wide[i] = (CHAR16)(unsigned char)text[i];
    return boot_variable_write(name, is_kept, wide, size_bytes * sizeof(CHAR16));
}

EFI_STATUS boot_variable_delete(const char *name)
{
    return set(name, 0, NULL, 0);
}

bool boot_variable_read_id(const char *name, char ret_id[CONFIG_ID_CAPACITY])
{
    CHAR16 wide_name[NAME_CAPACITY];
    CHAR16 text[CONFIG_ID_CAPACITY];
    UINTN size_bytes = sizeof(text);
    ret_id[0] = '\0';
    wide_text(name, wide_name, NAME_CAPACITY);
    EFI_STATUS status = firmware.system_table->RuntimeServices->GetVariable(wide_name, &guid, NULL,
                                                                            &size_bytes, text);
    return status == EFI_NOT_FOUND ||
           (!EFI_ERROR(status) && entry_id_copy_wide(text, size_bytes, ret_id));
}
