/*
 * main.c - the conductor. It runs between the firmware and the loader, and makes the firmware fail
 * by plan. It is installed as \EFI\BOOT\BOOTX64.EFI. The loader under test is
 * \EFI\HANDOFF\LOADER.EFI, unchanged. If a plan begins with `snapshot`, the conductor prints a line
 * on COM1 and waits for one byte. During this time a test takes its snapshot, and no driver of a
 * file system has data about the volume. After the byte it connects the drivers, which read the
 * volume of the restored machine, and follows the plan there.
 */
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/serial_16550.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"
#include "tests/qemu/conductor/stage.h"

#define DEBUG_EXIT_PORT 0xf4
/* Values that no kernel uses. */
#define CONDUCTOR_CODE_RETURNED 0x7e
#define CONDUCTOR_CODE_FAILED   0x7f

#define PLAN_CAPACITY_BYTES 1024

struct stage stage;

static struct serial_16550 com1;

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

void say(const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    format_text_v(text, sizeof text, format, arguments);
    va_end(arguments);
    serial_16550_write(&com1, "conductor: ", 11);
    serial_16550_write(&com1, text, text_length(text));
    serial_16550_write(&com1, "\n", 1);
}

static _Noreturn void leave(uint32_t code)
{
    port_write_32(DEBUG_EXIT_PORT, code);
    halt_forever();
}

static void require(EFI_STATUS status, const char *what)
{
    if (!EFI_ERROR(status))
        return;
    say("%s failed: %llx", what, status);
    leave(CONDUCTOR_CODE_FAILED);
}

/* Open a file on the volume that holds the plan. */
static EFI_HANDLE find_volume(const CHAR16 *path, EFI_FILE_HANDLE *ret_file)
{
    static EFI_GUID volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_HANDLE *handles;
    UINTN count;
    require(stage.firmware->LocateHandleBuffer(ByProtocol, &volume_guid, NULL, &count, &handles),
            "looking for volumes");
    for (UINTN i = 0; i < count; i++) {
        EFI_FILE_IO_INTERFACE *volume;
        EFI_FILE_HANDLE root;
        if (EFI_ERROR(stage.firmware->HandleProtocol(handles[i], &volume_guid, (VOID **)&volume)) ||
            EFI_ERROR(volume->OpenVolume(volume, &root)))
            continue;
        if (!EFI_ERROR(root->Open(root, ret_file, (CHAR16 *)path, EFI_FILE_MODE_READ, 0)))
            return handles[i];
    }
    require(EFI_NOT_FOUND, "looking for a file of the test");
    return NULL;
}

EFI_STATUS stage_read_file(const CHAR16 *path, void *bytes, UINTN *size_bytes)
{
    EFI_FILE_HANDLE file;
    find_volume(path, &file);
    EFI_STATUS status = file->Read(file, size_bytes, bytes);
    file->Close(file);
    return status;
}

static EFI_HANDLE read_plan(void)
{
    static char text[PLAN_CAPACITY_BYTES];
    UINTN size_bytes = sizeof text;
    EFI_FILE_HANDLE file;
    EFI_HANDLE volume = find_volume(L"\\plan.txt", &file);
    require(file->Read(file, &size_bytes, text), "reading plan.txt");
    file->Close(file);
    if (!plan_parse(text, size_bytes, &stage.plan))
        require(EFI_INVALID_PARAMETER, "understanding plan.txt");
    return volume;
}

/* The firmware's own terminal driver also reads COM1, from its timer. It must not get this byte. */
void stage_wait_for_byte(const char *what)
{
    EFI_TPL old_level = stage.firmware->RaiseTPL(TPL_HIGH_LEVEL);
    say("%s", what);
    uint8_t byte;
    while (!serial_16550_take(&com1, &byte))
        continue;
    stage.firmware->RestoreTPL(old_level);
}

static EFI_DEVICE_PATH *device_path(EFI_HANDLE handle)
{
    static EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
    EFI_DEVICE_PATH *path;
    require(stage.firmware->HandleProtocol(handle, &path_guid, (VOID **)&path),
            "asking for a device path");
    return path;
}

static UINTN path_node_bytes(const EFI_DEVICE_PATH *node)
{
    return (UINTN)node->Length[0] | (UINTN)node->Length[1] << 8;
}

/* Return the device path of the loader's file on a volume. */
static EFI_DEVICE_PATH *loader_path(EFI_HANDLE volume)
{
    static const CHAR16 name[] = L"\\EFI\\HANDOFF\\LOADER.EFI";
    static uint8_t path[512];
    uint8_t *end = path;
    for (const EFI_DEVICE_PATH *node = device_path(volume); !IsDevicePathEndType(node);
         node = NextDevicePathNode(node)) {
        if (path_node_bytes(node) > sizeof path - sizeof name - 8 - (size_t)(end - path))
            require(EFI_BUFFER_TOO_SMALL, "composing the loader's path");
        memcpy(end, node, path_node_bytes(node));
        end += path_node_bytes(node);
    }
    const uint8_t file_node[] = {MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, 4 + sizeof name, 0};
    const uint8_t end_node[] = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0};
    memcpy(end, file_node, sizeof file_node);
    memcpy(end + sizeof file_node, name, sizeof name);
    memcpy(end + sizeof file_node + sizeof name, end_node, sizeof end_node);
    return (EFI_DEVICE_PATH *)(void *)path;
}

/* Copy the tables to memory that stays valid after boot services, like the real tables. */
static void copy_tables(void)
{
    require(stage.firmware->AllocatePool(EfiRuntimeServicesData, sizeof *stage.loader_table,
                                         (VOID **)&stage.loader_table),
            "copying the system table");
    require(stage.firmware->AllocatePool(EfiRuntimeServicesData, sizeof *stage.services,
                                         (VOID **)&stage.services),
            "copying the boot services");
    *stage.loader_table = *stage.system_table;
    *stage.services = *stage.firmware;
    stage.loader_table->BootServices = stage.services;
}

static EFI_HANDLE load_loader(EFI_HANDLE image, EFI_HANDLE volume)
{
    static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
    EFI_HANDLE loader = NULL;
    require(stage.firmware->LoadImage(FALSE, image, loader_path(volume), NULL, 0, &loader),
            "loading the loader");
    require(stage.firmware->HandleProtocol(loader, &image_guid, (VOID **)&stage.loader),
            "looking at the loader");
    stage.loader->SystemTable = stage.loader_table;
    return loader;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    stage.system_table = system_table;
    stage.firmware = system_table->BootServices;
    serial_16550_initialise(&com1, SERIAL_16550_COM1);

    EFI_HANDLE volume = read_plan();
    if (plan_has(&stage.plan, "snapshot", NULL)) {
        require(volume_disconnect(volume), "disconnecting the volume");
        stage_wait_for_byte("waiting");
        require(volume_connect(), "connecting the volume");
        volume = read_plan();
    }

    screen_show_letters();
    screen_set_text_mode();
    copy_tables();
    EFI_HANDLE loader = load_loader(image, volume);
    allocation_install();
    leaving_install();
    protocols_install();
    files_install();
    tables_install();
    record_install();
    start_install(loader);
    late_reset_install();
    graphics_install();
    time_install();
    serial_install();
    keyboard_install();
    measurements_install();
    uint64_t page_count;
    if (plan_has(&stage.plan, "leave-pages", &page_count))
        allocation_exhaust(page_count);
    if (plan_has(&stage.plan, "strict-nx", NULL))
        strict_nx_enable();
    if (plan_has(&stage.plan, "no-execute-off", NULL))
        no_execute_switch_off();
    if (plan_has(&stage.plan, "five-levels", NULL))
        five_levels_enable();

    task_state_install();
    handlers_note();
    say("starting the loader");
    EFI_STATUS status = stage.firmware->StartImage(loader, NULL, NULL);
    say("the loader returned %llx", status);
    say("handlers after it: %s", handlers_owner());
    allocation_report();
    no_execute_report();
    keyboard_report();
    screen_hold();
    leave(CONDUCTOR_CODE_RETURNED);
}
