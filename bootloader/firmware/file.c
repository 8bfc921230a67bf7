#include "bootloader/firmware/file.h"

#include "bootloader/firmware/read_progress.h"
#include "bootloader/firmware/wide_text.h"
#include "shared/address.h"
#include "shared/memory.h"

/* Some firmware fails on long reads. So many bytes in a call are safe. */
#define SAFE_READ_BYTES MIB

/* A longer read can take a second from a slow stick, and a person may believe that it hangs. */
#define LONG_READ_BYTES (4 * MIB)

/* EFI_FILE_INFO with a name of 255 characters, the most that FAT has. */
#define FILE_INFO_BYTES (offsetof(EFI_FILE_INFO, FileName) + 256 * sizeof(CHAR16))

/* The firmware starts a program over the network from a device that loads files by name (UEFI 2.10,
 * section 13.1), and that has no file system. */
static bool is_network_device(EFI_HANDLE device)
{
    static EFI_GUID guid = LOAD_FILE_PROTOCOL;
    void *interface;
    return !EFI_ERROR(firmware_protocol(device, &guid, &interface));
}

enum loader_error volume_open(struct volume *ret_volume)
{
    static EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_HANDLE device = firmware.loaded_image->DeviceHandle;
    void *interface;
    EFI_FILE_HANDLE root = NULL;

    if (device == NULL)
        return error_set(&last_failure, LOADER_ERROR_NO_VOLUME, EFI_SUCCESS,
                         "the loader was not started from a device");
    EFI_STATUS status = firmware_protocol(device, &guid, &interface);
    if (EFI_ERROR(status) || interface == NULL)
        return error_set(&last_failure,
                         is_network_device(device) ? LOADER_ERROR_NETWORK_START
                                                   : LOADER_ERROR_NO_VOLUME,
                         status, "file system of the boot device");

    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *file_system = interface;
    status = file_system->OpenVolume(file_system, &root);
    if (EFI_ERROR(status) || root == NULL)
        return error_set(&last_failure, LOADER_ERROR_NO_VOLUME, status, "root directory");

    *ret_volume = (struct volume){root};
    return LOADER_OK;
}

void volume_close(struct volume *volume)
{
    volume->root->Close(volume->root);
}

/* Return NULL if it fails. Then *ret_error is the reason. */
static EFI_FILE_HANDLE file_find(const struct volume *volume, const char *path,
                                 enum loader_error *ret_error)
{
    CHAR16 wide[CONFIG_PATH_CAPACITY];
    EFI_FILE_HANDLE handle = NULL;

    wide_text(path, wide, CONFIG_PATH_CAPACITY);
    EFI_STATUS status = volume->root->Open(volume->root, &handle, wide, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status) && handle != NULL)
        return handle;
    *ret_error = error_set_path(&last_failure,
                                status == EFI_NOT_FOUND ? LOADER_ERROR_FILE_NOT_FOUND
                                                        : LOADER_ERROR_FILE_OPEN,
                                status, path);
    return NULL;
}

/* GetInfo, with a larger buffer once if the firmware wants one. */
static EFI_STATUS file_get_info(EFI_FILE_HANDLE handle, EFI_FILE_INFO *ret_info)
{
    static EFI_GUID guid = EFI_FILE_INFO_ID;
    _Alignas(EFI_FILE_INFO) unsigned char buffer[FILE_INFO_BYTES];
    UINTN size_bytes = sizeof(buffer);
    EFI_STATUS status = handle->GetInfo(handle, &guid, &size_bytes, buffer);
    if (!EFI_ERROR(status))
        *ret_info = *(const EFI_FILE_INFO *)buffer;
    if (status != EFI_BUFFER_TOO_SMALL)
        return status;

    void *larger = NULL;
    status = firmware.services->AllocatePool(EfiLoaderData, size_bytes, &larger);
    if (EFI_ERROR(status))
        return status;
    status = handle->GetInfo(handle, &guid, &size_bytes, larger);
    if (!EFI_ERROR(status))
        *ret_info = *(const EFI_FILE_INFO *)larger;
    firmware.services->FreePool(larger);
    return status;
}

static enum loader_error file_check(const EFI_FILE_INFO *info, const char *path,
                                    uint64_t limit_bytes)
{
    if ((info->Attribute & EFI_FILE_DIRECTORY) != 0)
        return error_set_path(&last_failure, LOADER_ERROR_FILE_IS_DIRECTORY, EFI_SUCCESS, path);
    if (info->FileSize == 0)
        return error_set_path(&last_failure, LOADER_ERROR_FILE_EMPTY, EFI_SUCCESS, path);
    if (info->FileSize > limit_bytes)
        return error_set(&last_failure, LOADER_ERROR_FILE_TOO_LARGE, EFI_SUCCESS,
                         "%s: %llu bytes, the limit is %llu", path, info->FileSize, limit_bytes);
    return LOADER_OK;
}

static enum loader_error file_check_size(EFI_FILE_HANDLE handle, const char *path,
                                         uint64_t limit_bytes, struct file *ret_file)
{
    EFI_FILE_INFO info;
    EFI_STATUS status = file_get_info(handle, &info);
    if (EFI_ERROR(status))
        return error_set(&last_failure, LOADER_ERROR_FILE_OPEN, status, "%s: its size", path);
    enum loader_error error = file_check(&info, path, limit_bytes);
    if (error == LOADER_OK)
        *ret_file = (struct file){handle, path, info.FileSize, NULL, NULL};
    return error;
}

enum loader_error file_open(const struct volume *volume, const char *path, uint64_t limit_bytes,
                            struct file *ret_file)
{
    enum loader_error error = LOADER_OK;
    EFI_FILE_HANDLE handle = file_find(volume, path, &error);
    if (handle == NULL)
        return error;
    error = file_check_size(handle, path, limit_bytes, ret_file);
    if (error != LOADER_OK)
        handle->Close(handle);
    return error;
}

/* Read once. *read_bytes is the wanted size; it becomes the size that was read. */
static enum loader_error file_read_once(const struct file *file, uint64_t offset, void *bytes,
                                        UINTN *read_bytes)
{
    UINTN wanted_bytes = *read_bytes;
    EFI_STATUS status = file->handle->Read(file->handle, read_bytes, bytes);
    if (EFI_ERROR(status))
        return error_set(&last_failure, LOADER_ERROR_FILE_READ, status, "%s, at byte %llu of %llu",
                         file->path, offset, file->size_bytes);
    if (*read_bytes == 0 || *read_bytes > wanted_bytes)
        return error_set(&last_failure, LOADER_ERROR_FILE_SHORT, EFI_SUCCESS,
                         "%s, at byte %llu of %llu", file->path, offset, file->size_bytes);
    return LOADER_OK;
}

/* Read with calls for at most `most_bytes` bytes. Firmware may read less than a call wants. */
static enum loader_error file_read_in_pieces(const struct file *file, uint64_t offset, void *bytes,
                                             uint64_t size_bytes, uint64_t most_bytes)
{
    struct read_progress progress = {.frequency_hz = 0};
    uint64_t done_bytes = 0;
    enum loader_error error = LOADER_OK;
    EFI_STATUS status = file->handle->SetPosition(file->handle, offset);
    if (EFI_ERROR(status))
        return error_set(&last_failure, LOADER_ERROR_FILE_READ, status,
                         "%s: the firmware cannot go to byte %llu", file->path, offset);
    if (size_bytes > LONG_READ_BYTES)
        read_progress_begin(&progress);
    while (done_bytes < size_bytes && error == LOADER_OK) {
        uint64_t left_bytes = size_bytes - done_bytes;
        UINTN read_bytes = left_bytes < most_bytes ? left_bytes : most_bytes;
        error = file_read_once(file, offset + done_bytes, (unsigned char *)bytes + done_bytes,
                               &read_bytes);
        done_bytes += read_bytes;
        read_progress_show(&progress, done_bytes, size_bytes);
    }
    read_progress_end(&progress);
    return error;
}

/* One call is best: each costs commands to the device, and on a disc OVMF sends six for it. */
enum loader_error file_read(const struct file *file, uint64_t offset, void *bytes,
                            uint64_t size_bytes)
{
    if (file->bytes != NULL) {
        memcpy(bytes, file->bytes + offset, size_bytes);
        return LOADER_OK;
    }
    bool is_long = size_bytes > LONG_READ_BYTES;
    enum loader_error error = file_read_in_pieces(file, offset, bytes, size_bytes,
                                                  is_long ? SAFE_READ_BYTES : size_bytes);
    if (error != LOADER_OK && size_bytes > SAFE_READ_BYTES && !is_long)
        error = file_read_in_pieces(file, offset, bytes, size_bytes, SAFE_READ_BYTES);
    return error;
}

enum loader_error file_keep(struct file *file, struct pages *pages)
{
    struct phys_range block;
    enum loader_error error = pages_allocate_for_reading(pages, file->size_bytes, PAGE_SIZE_BYTES,
                                                         0, HANDOFF_REGION_LOADER, &block);
    if (error != LOADER_OK)
        return error;
    error = file_read(file, 0, (void *)block.start.value, file->size_bytes);
    if (error != LOADER_OK) {
        pages_free(pages, block.start);
        return error;
    }
    file->bytes = (const uint8_t *)block.start.value;
    file->pages = pages;
    return LOADER_OK;
}

void file_close(const struct file *file)
{
    file->handle->Close(file->handle);
    if (file->pages != NULL)
        pages_free(file->pages, phys_addr((uint64_t)file->bytes));
}

enum loader_error folder_open(const struct volume *volume, const char *path,
                              EFI_FILE_HANDLE *ret_folder)
{
    enum loader_error error = LOADER_OK;
    EFI_FILE_INFO info;
    EFI_FILE_HANDLE handle = file_find(volume, path, &error);
    if (handle == NULL)
        return error;
    EFI_STATUS status = file_get_info(handle, &info);
    if (!EFI_ERROR(status) && (info.Attribute & EFI_FILE_DIRECTORY) != 0) {
        *ret_folder = handle;
        return LOADER_OK;
    }
    handle->Close(handle);
    return error_set(&last_failure, LOADER_ERROR_FILE_OPEN, status, "%s: it is not a folder", path);
}

/* Reading a folder gives one row (UEFI 2.10, section 13.5, EFI_FILE_PROTOCOL.Read()). */
bool folder_next(EFI_FILE_HANDLE folder, struct folder_row *ret_row)
{
    _Alignas(EFI_FILE_INFO) unsigned char buffer[FILE_INFO_BYTES];
    const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)buffer;
    UINTN size_bytes = sizeof(buffer);
    size_t length = 0;
    if (EFI_ERROR(folder->Read(folder, &size_bytes, buffer)) ||
        size_bytes < offsetof(EFI_FILE_INFO, FileName) + sizeof(CHAR16) ||
        size_bytes > sizeof(buffer))
        return false;
    size_t limit = (size_bytes - offsetof(EFI_FILE_INFO, FileName)) / sizeof(CHAR16);
    if (limit > sizeof(ret_row->name) - 1)
        limit = sizeof(ret_row->name) - 1;
    for (; length < limit && info->FileName[length] != 0; length++)
        ret_row->name[length] = info->FileName[length] < 0x80 ? (char)info->FileName[length] : '?';
    ret_row->name[length] = '\0';
    ret_row->is_folder = (info->Attribute & EFI_FILE_DIRECTORY) != 0;
    ret_row->size_bytes = info->FileSize;
    return true;
}

/* SetInfo with another name renames (UEFI 2.10, section 13.5.13). The other fields keep their values.
 * If the medium cannot be written, it, or already Open, fails. */
static EFI_STATUS rename_open_file(EFI_FILE_HANDLE handle, const char *new_name)
{
    static EFI_GUID guid = EFI_FILE_INFO_ID;
    _Alignas(EFI_FILE_INFO) unsigned char buffer[FILE_INFO_BYTES];
    EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
    UINTN size_bytes = sizeof(buffer);
    EFI_STATUS status = handle->GetInfo(handle, &guid, &size_bytes, buffer);
    if (EFI_ERROR(status))
        return status;
    info->Size = offsetof(EFI_FILE_INFO, FileName) + wide_text(new_name, info->FileName, 256);
    status = handle->SetInfo(handle, &guid, info->Size, buffer);
    return EFI_ERROR(status) ? status : handle->Flush(handle);
}

enum loader_error file_rename(const struct volume *volume, const char *path, const char *new_name)
{
    CHAR16 wide[CONFIG_PATH_CAPACITY];
    EFI_FILE_HANDLE handle = NULL;
    wide_text(path, wide, CONFIG_PATH_CAPACITY);
    EFI_STATUS status = volume->root->Open(volume->root, &handle, wide,
                                           EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
    if (!EFI_ERROR(status)) {
        status = rename_open_file(handle, new_name);
        handle->Close(handle);
    }
    if (EFI_ERROR(status))
        return error_set(&last_failure, LOADER_ERROR_BOOT_COUNTER, status, "%s to %s", path,
                         new_name);
    return LOADER_OK;
}
