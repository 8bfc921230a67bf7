#include "bootloader/firmware/exit.h"

#include "bootloader/pure/memory_map.h"

/* The struct has 40 bytes, and a stride is a few bytes larger. A number above the limit is wrong.
 */
#define DESCRIPTOR_SIZE_LIMIT_BYTES 4096
#define MAP_SIZE_LIMIT_BYTES        (64u * 1024 * 1024)

enum loader_error exit_measure_map(struct efi_map *ret_map)
{
    struct efi_map map = {0};
    EFI_STATUS status = exit_read_map(&map);

    if (status != EFI_BUFFER_TOO_SMALL)
        return error_set(LOADER_ERROR_MEMORY_MAP, status, "its size cannot be read");
    if (map.stride_bytes < sizeof(struct memory_map_descriptor) ||
        map.stride_bytes > DESCRIPTOR_SIZE_LIMIT_BYTES || map.size_bytes > MAP_SIZE_LIMIT_BYTES)
        return error_set(LOADER_ERROR_MEMORY_MAP, EFI_SUCCESS, "%llu bytes in rows of %llu bytes",
                         map.size_bytes, map.stride_bytes);
    *ret_map = map;
    return LOADER_OK;
}

EFI_STATUS exit_read_map(struct efi_map *map)
{
    map->size_bytes = map->capacity_bytes;
    map->stride_bytes = 0;
    EFI_STATUS status = firmware.services->GetMemoryMap(&map->size_bytes, map->rows, &map->key,
                                                        &map->stride_bytes, &map->version);
    if (!EFI_ERROR(status) && map->size_bytes > map->capacity_bytes)
        return EFI_BUFFER_TOO_SMALL;
    return status;
}

EFI_STATUS exit_try(const struct efi_map *map)
{
    EFI_STATUS status = firmware.services->ExitBootServices(firmware.image, map->key);
    if (!EFI_ERROR(status))
        firmware_seal();
    return status;
}
