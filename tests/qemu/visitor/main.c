/*
 * main.c - the visitor: an EFI application that the loader starts by `efi = \path`. It prints on
 * COM1 what it was given, and all variables of the Boot Loader Interface. Then it returns.
 *
 * Its options: `fail` lets it return an error.
 */
#include "shared/arch/x86_64/serial_16550.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

#include "bootloader/firmware/efi.h"

#define TEXT_CAPACITY 512

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

static struct serial_16550 com1;
static EFI_RUNTIME_SERVICES *runtime;
static EFI_GUID vendor = {
    0x4a67b082, 0x0a4c, 0x41cf, {0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f}};

static void say(const char *format, ...)
{
    char text[2 * TEXT_CAPACITY];
    va_list arguments;
    va_start(arguments, format);
    format_text_v(text, sizeof text, format, arguments);
    va_end(arguments);
    serial_16550_write(&com1, "visitor: ", 9);
    serial_16550_write(&com1, text, text_length(text));
    serial_16550_write(&com1, "\n", 1);
}

/* Write a bar for a NUL. */
static void narrow(const CHAR16 *wide, size_t size_bytes, char text[TEXT_CAPACITY])
{
    size_t used = 0;
    while (used < size_bytes / sizeof *wide && used < TEXT_CAPACITY - 1) {
        text[used] = wide[used] == 0 ? '|' : (char)wide[used];
        used++;
    }
    text[used] = '\0';
}

static void show_variable(CHAR16 *name, size_t name_bytes)
{
    static CHAR16 value[TEXT_CAPACITY];
    char name_text[TEXT_CAPACITY];
    char text[TEXT_CAPACITY];
    UINTN size_bytes = sizeof value;
    UINT32 attributes = 0;
    EFI_STATUS status = runtime->GetVariable(name, &vendor, &attributes, &size_bytes, value);
    narrow(name, name_bytes - sizeof *name, name_text);
    narrow(value, EFI_ERROR(status) ? 0 : size_bytes, text);
    say("%s %u %s", name_text, attributes, text);
}

static void show_variables(void)
{
    static CHAR16 name[TEXT_CAPACITY];
    EFI_GUID guid = {0};
    name[0] = 0;
    for (;;) {
        UINTN name_bytes = sizeof name;
        if (EFI_ERROR(runtime->GetNextVariableName(&name_bytes, name, &guid)))
            return;
        const uint64_t *left = (const uint64_t *)(const void *)&guid;
        const uint64_t *right = (const uint64_t *)(const void *)&vendor;
        if (left[0] == right[0] && left[1] == right[1])
            show_variable(name, name_bytes);
    }
}

static bool has_volume(EFI_BOOT_SERVICES *services, EFI_HANDLE device)
{
    static EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    void *volume = NULL;
    return device != NULL && !EFI_ERROR(services->HandleProtocol(device, &guid, &volume));
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *loaded = NULL;
    char options[TEXT_CAPACITY];
    runtime = system_table->RuntimeServices;
    serial_16550_initialise(&com1, SERIAL_16550_COM1);
    if (EFI_ERROR(system_table->BootServices->HandleProtocol(image, &image_guid, (void **)&loaded)))
        return EFI_UNSUPPORTED;
    narrow(loaded->LoadOptions, loaded->LoadOptionsSize, options);
    say("options \"%s\", volume %s", options,
        has_volume(system_table->BootServices, loaded->DeviceHandle) ? "yes" : "no");
    show_variables();
    return text_equal(options, "fail|") ? EFI_ABORTED : EFI_SUCCESS;
}
