#include "bootloader/boot_counter.h"

#include "bootloader/boot_interface.h"
#include "shared/text/format.h"

#define PATH_CAPACITY (sizeof(BOOT_COUNTER_FOLDER) + ENTRY_NAME_CAPACITY)

static bool rename_file(struct loader *loader, const char *path, const char *new_name)
{
    struct volume volume;
    if (volume_open(&loader->firmware, &volume) != LOADER_OK)
        return false;
    bool is_renamed = file_rename(&volume, path, new_name) == LOADER_OK;
    volume_close(&volume);
    return is_renamed;
}

bool boot_counter_use_try(struct loader *loader, const char *file_name, struct entry_name *name)
{
    char new_name[ENTRY_NAME_CAPACITY];
    char path[PATH_CAPACITY];
    if (!name->has_counter)
        return true;
    entry_name_use_try(name);
    entry_name_format(name, new_name, sizeof(new_name));
    format_text(path, sizeof(path), BOOT_COUNTER_FOLDER "%s", file_name);
    if (!rename_file(loader, path, new_name))
        return false;
    format_text(path, sizeof(path), BOOT_COUNTER_FOLDER "%s", new_name);
    boot_interface_write_count_path(loader, path);
    console_log(&loader->console, "%s: tries left: %u", name->id, name->tries_left);
    return true;
}
