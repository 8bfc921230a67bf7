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
    static const EFI_GUID guid = LOAD_FILE_PROTOCOL;
    void *interface;
    return !EFI_ERROR(firmware_protocol(device, &guid, &interface));
}

enum loader_error volume_open(struct volume *ret_volume)
{
    static const EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_HANDLE device = firmware.loaded_image->DeviceHandle;
    void *interface;
    EFI_FILE_HANDLE root = NULL;

    if (device == NULL)
        return error_set(LOADER_ERROR_NO_VOLUME, EFI_SUCCESS,
                         "the loader was not started from a device");
    EFI_STATUS status = firmware_protocol(device, &guid, &interface);
    if (EFI_ERROR(status) || interface == NULL)
        return error_set(is_network_device(device) ? LOADER_ERROR_NETWORK_START
                                                   : LOADER_ERROR_NO_VOLUME,
                         status, "file system of the boot device");

    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *file_system = interface;
    status = file_system->OpenVolume(file_system, &root);
    if (EFI_ERROR(status) || root == NULL)
        return error_set(LOADER_ERROR_NO_VOLUME, status, "root directory");

    *ret_volume = (struct volume){root};
    return LOADER_OK;
}

void volume_close(struct volume *volume)
{
    volume->root->Close(volume->root);
}

static EFI_STATUS open_path(const struct volume *volume, const char *path, UINT64 mode,
                            EFI_FILE_HANDLE *ret_handle)
{
    CHAR16 wide[CONFIG_PATH_CAPACITY];
    wide_text(path, wide, CONFIG_PATH_CAPACITY);
    *ret_handle = NULL;
    return volume->root->Open(volume->root, ret_handle, wide, mode, 0);
}

/* Return NULL if it fails. Then *ret_error is the reason. */
static EFI_FILE_HANDLE file_find(const struct volume *volume, const char *path,
                                 enum loader_error *ret_error)
{
    EFI_FILE_HANDLE handle;
    EFI_STATUS status = open_path(volume, path, EFI_FILE_MODE_READ, &handle);
    if (!EFI_ERROR(status) && handle != NULL)
        return handle;
    *ret_error = error_set_path(status == EFI_NOT_FOUND ? LOADER_ERROR_FILE_NOT_FOUND
                                                        : LOADER_ERROR_FILE_OPEN,
                                status, path);
    return NULL;
}

static const EFI_GUID file_info_guid = EFI_FILE_INFO_ID;

/* EFI_FILE_INFO and the name behind it. */
union file_info {
    EFI_FILE_INFO info;
    unsigned char bytes[FILE_INFO_BYTES];
};

/* GetInfo, with a larger buffer once if the firmware wants one. Then the name is not copied. */
static EFI_STATUS file_get_info(EFI_FILE_HANDLE handle, union file_info *ret_info)
{
    UINTN size_bytes = sizeof(*ret_info);
    void *larger = NULL;
    EFI_STATUS status = handle->GetInfo(handle, (EFI_GUID *)&file_info_guid, &size_bytes, ret_info);
    if (status != EFI_BUFFER_TOO_SMALL)
        return status;
    status = firmware.services->AllocatePool(EfiLoaderData, size_bytes, &larger);
    if (EFI_ERROR(status))
        return status;
    status = handle->GetInfo(handle, (EFI_GUID *)&file_info_guid, &size_bytes, larger);
    if (!EFI_ERROR(status))
        memcpy(ret_info, larger, sizeof(ret_info->info));
    firmware.services->FreePool(larger);
    return status;
}

static enum loader_error file_check(const struct file *file, const EFI_FILE_INFO *info,
                                    uint64_t limit_bytes)
{
    bool is_folder = (info->Attribute & EFI_FILE_DIRECTORY) != 0;
    if (is_folder || info->FileSize == 0)
        return error_set_path(is_folder ? LOADER_ERROR_FILE_IS_DIRECTORY : LOADER_ERROR_FILE_EMPTY,
                              EFI_SUCCESS, file->path);
    if (info->FileSize > limit_bytes)
        return error_set(LOADER_ERROR_FILE_TOO_LARGE, EFI_SUCCESS,
                         "%s: %llu bytes, the limit is %llu", file->path, info->FileSize,
                         limit_bytes);
    return LOADER_OK;
}

/* Write the file's size. */
static enum loader_error file_check_size(struct file *file, uint64_t limit_bytes)
{
    union file_info buffer;
    EFI_STATUS status = file_get_info(file->handle, &buffer);
    if (EFI_ERROR(status))
        return error_set(LOADER_ERROR_FILE_OPEN, status, "%s: its size", file->path);
    file->size_bytes = buffer.info.FileSize;
    return file_check(file, &buffer.info, limit_bytes);
}

enum loader_error file_open(const struct volume *volume, const char *path, uint64_t limit_bytes,
                            struct file *ret_file)
{
    enum loader_error error = LOADER_OK;
    struct file file = {.path = path};
    file.handle = file_find(volume, path, &error);
    if (file.handle == NULL)
        return error;
    error = file_check_size(&file, limit_bytes);
    if (error == LOADER_OK)
        *ret_file = file;
    else
        file.handle->Close(file.handle);
    return error;
}

/* Read once. *read_bytes is the wanted size; it becomes the size that was read. */
static enum loader_error file_read_once(const struct file *file, uint64_t offset, void *bytes,
                                        UINTN *read_bytes)
{
    UINTN wanted_bytes = *read_bytes;
    EFI_STATUS status = file->handle->Read(file->handle, read_bytes, bytes);
    if (!EFI_ERROR(status) && *read_bytes != 0 && *read_bytes <= wanted_bytes)
        return LOADER_OK;
    return error_set(EFI_ERROR(status) ? LOADER_ERROR_FILE_READ : LOADER_ERROR_FILE_SHORT, status,
                     "%s, at byte %llu of %llu", file->path, offset, file->size_bytes);
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
        return error_set(LOADER_ERROR_FILE_READ, status, "%s: the firmware cannot go to byte %llu",
                         file->path, offset);
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
    uint64_t most_bytes = size_bytes > LONG_READ_BYTES ? SAFE_READ_BYTES : size_bytes;
    for (;;) {
        enum loader_error error = file_read_in_pieces(file, offset, bytes, size_bytes, most_bytes);
        if (error == LOADER_OK || most_bytes <= SAFE_READ_BYTES)
            return error;
        most_bytes = SAFE_READ_BYTES;
    }
}

enum loader_error file_read_block(const struct file *file, struct pages *pages, uint64_t offset,
                                  uint64_t size_bytes, struct phys_range *ret_block)
{
    enum loader_error error = pages_allocate_for_reading(pages, size_bytes, PAGE_SIZE_BYTES, 0,
                                                         HANDOFF_REGION_LOADER, ret_block);
    if (error != LOADER_OK)
        return error;
    error = file_read(file, offset, (void *)ret_block->start.value, size_bytes);
    if (error != LOADER_OK)
        pages_free(pages, ret_block->start);
    return error;
}

enum loader_error file_keep(struct file *file, struct pages *pages)
{
    struct phys_range block;
    enum loader_error error = file_read_block(file, pages, 0, file->size_bytes, &block);
    if (error == LOADER_OK) {
        file->bytes = (const uint8_t *)block.start.value;
        file->is_kept = true;
    }
    return error;
}

void file_close(const struct file *file, struct pages *pages)
{
    file->handle->Close(file->handle);
    if (file->is_kept)
        pages_free(pages, phys_addr((uint64_t)file->bytes));
}

enum loader_error folder_open(const struct volume *volume, const char *path,
                              EFI_FILE_HANDLE *ret_folder)
{
    enum loader_error error = LOADER_OK;
    union file_info buffer;
    EFI_FILE_HANDLE handle = file_find(volume, path, &error);
    if (handle == NULL)
        return error;
    EFI_STATUS status = file_get_info(handle, &buffer);
    if (!EFI_ERROR(status) && (buffer.info.Attribute & EFI_FILE_DIRECTORY) != 0) {
        *ret_folder = handle;
        return LOADER_OK;
    }
    handle->Close(handle);
    return error_set(LOADER_ERROR_FILE_OPEN, status, "%s: it is not a folder", path);
}

/* Reading a folder gives one row (UEFI 2.10, section 13.5, EFI_FILE_PROTOCOL.Read()). */
bool folder_next(EFI_FILE_HANDLE folder, struct folder_row *ret_row)
{
    union file_info buffer;
    const EFI_FILE_INFO *info = &buffer.info;
    UINTN size_bytes = sizeof(buffer);
    size_t length = 0;
    if (EFI_ERROR(folder->Read(folder, &size_bytes, &buffer)) ||
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
    union file_info buffer;
    EFI_FILE_INFO *info = &buffer.info;
    EFI_STATUS status = file_get_info(handle, &buffer);
    if (EFI_ERROR(status))
        return status;
    info->Size = offsetof(EFI_FILE_INFO, FileName) + wide_text(new_name, info->FileName, 256);
    status = handle->SetInfo(handle, (EFI_GUID *)&file_info_guid, info->Size, info);
    return EFI_ERROR(status) ? status : handle->Flush(handle);
}

enum loader_error file_rename(const struct volume *volume, const char *path, const char *new_name)
{
    EFI_FILE_HANDLE handle;
    EFI_STATUS status = open_path(volume, path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, &handle);
    if (!EFI_ERROR(status)) {
        status = rename_open_file(handle, new_name);
        handle->Close(handle);
    }
    if (EFI_ERROR(status))
        return error_set(LOADER_ERROR_BOOT_COUNTER, status, "%s to %s", path, new_name);
    return LOADER_OK;
}
