#include "bootloader/firmware/file.h"

#include "bootloader/pure/config.h"

/* Some firmware fails on very long reads from USB sticks. One megabyte per call is safe. It is no
 * slower where the firmware copies through a small buffer anyway. */
#define READ_CHUNK_BYTES (1024u * 1024)

/* EFI_FILE_INFO with a name of 255 characters, the most that FAT has. */
#define FILE_INFO_BYTES (offsetof(EFI_FILE_INFO, FileName) + 256 * sizeof(CHAR16))

enum loader_error volume_open(const struct firmware *firmware, struct volume *ret_volume)
{
    static EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_HANDLE device = firmware->loaded_image->DeviceHandle;
    void *interface = NULL;
    EFI_FILE_HANDLE root = NULL;

    if (device == NULL)
        return error_set(firmware->failure, LOADER_ERROR_NO_VOLUME, EFI_SUCCESS,
                         "the loader was not started from a device");
    EFI_STATUS status = firmware->services->HandleProtocol(device, &guid, &interface);
    if (EFI_ERROR(status) || interface == NULL)
        return error_set(firmware->failure, LOADER_ERROR_NO_VOLUME, status,
                         "file system of the boot device");

    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *file_system = interface;
    status = file_system->OpenVolume(file_system, &root);
    if (EFI_ERROR(status) || root == NULL)
        return error_set(firmware->failure, LOADER_ERROR_NO_VOLUME, status, "root directory");

    *ret_volume = (struct volume){root, firmware};
    return LOADER_OK;
}

void volume_close(struct volume *volume)
{
    volume->root->Close(volume->root);
}

static enum loader_error file_open(const struct volume *volume, const char *path,
                                   EFI_FILE_HANDLE *ret_handle)
{
    CHAR16 wide[CONFIG_PATH_CAPACITY];
    EFI_FILE_HANDLE handle = NULL;
    size_t length = 0;

    while (length < CONFIG_PATH_CAPACITY - 1 && path[length] != '\0') {
        wide[length] = (CHAR16)(unsigned char)path[length];
        length++;
    }
    wide[length] = 0;

    EFI_STATUS status = volume->root->Open(volume->root, &handle, wide, EFI_FILE_MODE_READ, 0);
    if (status == EFI_NOT_FOUND)
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_NOT_FOUND, status, "%s",
                         path);
    if (EFI_ERROR(status) || handle == NULL)
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_OPEN, status, "%s", path);
    *ret_handle = handle;
    return LOADER_OK;
}

/* GetInfo, with a larger buffer once if the firmware wants one. */
static EFI_STATUS file_get_info(const struct volume *volume, EFI_FILE_HANDLE handle,
                                EFI_FILE_INFO *ret_info)
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
    status = volume->firmware->services->AllocatePool(EfiLoaderData, size_bytes, &larger);
    if (EFI_ERROR(status))
        return status;
    status = handle->GetInfo(handle, &guid, &size_bytes, larger);
    if (!EFI_ERROR(status))
        *ret_info = *(const EFI_FILE_INFO *)larger;
    volume->firmware->services->FreePool(larger);
    return status;
}

static enum loader_error file_check(const struct volume *volume, const EFI_FILE_INFO *info,
                                    const char *path, uint64_t limit_bytes)
{
    if ((info->Attribute & EFI_FILE_DIRECTORY) != 0)
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_IS_DIRECTORY, EFI_SUCCESS,
                         "%s", path);
    if (info->FileSize == 0)
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_EMPTY, EFI_SUCCESS, "%s",
                         path);
    if (info->FileSize > limit_bytes)
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_TOO_LARGE, EFI_SUCCESS,
                         "%s: %llu bytes, the limit is %llu", path, info->FileSize, limit_bytes);
    return LOADER_OK;
}

static enum loader_error file_read_bytes(const struct volume *volume, EFI_FILE_HANDLE handle,
                                         const char *path, unsigned char *bytes,
                                         uint64_t size_bytes)
{
    uint64_t done_bytes = 0;
    while (done_bytes < size_bytes) {
        uint64_t left_bytes = size_bytes - done_bytes;
        UINTN chunk_bytes = left_bytes < READ_CHUNK_BYTES ? left_bytes : READ_CHUNK_BYTES;
        UINTN read_bytes = chunk_bytes;
        EFI_STATUS status = handle->Read(handle, &read_bytes, bytes + done_bytes);
        if (EFI_ERROR(status))
            return error_set(volume->firmware->failure, LOADER_ERROR_FILE_READ, status,
                             "%s, at byte %llu of %llu", path, done_bytes, size_bytes);
        if (read_bytes == 0 || read_bytes > chunk_bytes)
            return error_set(volume->firmware->failure, LOADER_ERROR_FILE_SHORT, EFI_SUCCESS,
                             "%s, at byte %llu of %llu", path, done_bytes, size_bytes);
        done_bytes += read_bytes;
    }
    return LOADER_OK;
}

static enum loader_error file_read_handle(const struct volume *volume, struct pages *pages,
                                          EFI_FILE_HANDLE handle, const char *path,
                                          uint64_t limit_bytes, struct file *ret_file)
{
    EFI_FILE_INFO info;
    struct phys_range block;

    EFI_STATUS status = file_get_info(volume, handle, &info);
    if (EFI_ERROR(status))
        return error_set(volume->firmware->failure, LOADER_ERROR_FILE_OPEN, status, "%s: its size",
                         path);
    enum loader_error error = file_check(volume, &info, path, limit_bytes);
    if (error != LOADER_OK)
        return error;
    error = pages_allocate(pages, info.FileSize, HANDOFF_REGION_LOADER, &block);
    if (error != LOADER_OK)
        return error;
    unsigned char *bytes = (unsigned char *)block.start.value;
    error = file_read_bytes(volume, handle, path, bytes, info.FileSize);
    if (error != LOADER_OK) {
        pages_free(pages, block.start);
        return error;
    }
    *ret_file = (struct file){block, bytes, info.FileSize};
    return LOADER_OK;
}

enum loader_error file_read(const struct volume *volume, struct pages *pages, const char *path,
                            uint64_t limit_bytes, struct file *ret_file)
{
    EFI_FILE_HANDLE handle;
    enum loader_error error = file_open(volume, path, &handle);
    if (error != LOADER_OK)
        return error;
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): error_set() never returns LOADER_OK
    error = file_read_handle(volume, pages, handle, path, limit_bytes, ret_file);
    handle->Close(handle);
    return error;
}

void file_free(struct pages *pages, const struct file *file)
{
    pages_free(pages, file->block.start);
}
