#include "bootloader/boot_counter.h"

#include "bootloader/boot_interface.h"
#include "bootloader/pure/entry_name.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

#define PATH_CAPACITY (sizeof(ENTRY_FOLDER) + ENTRY_FILE_NAME_CAPACITY)

static void set_path(const struct entry *entry, char path[PATH_CAPACITY])
{
    format_text(path, PATH_CAPACITY, "%s\\%s", ENTRY_FOLDER, entry->file_name);
}

bool boot_counter_use_try(struct loader *loader, struct entry *entry)
{
    struct entry_name name;
    char path[PATH_CAPACITY];
    char new_name[ENTRY_NAME_CAPACITY];
    struct piece old = {entry->file_name, text_length(entry->file_name)};
    if (!entry_name_parse(old, &name) || !name.has_counter)
        return true;
    entry_name_use_try(&name);
    entry_name_format(&name, new_name, sizeof(new_name));
    set_path(entry, path);
    if (file_rename(&loader->chooser.volume, path, new_name) != LOADER_OK)
        return false;
    format_text(entry->file_name, sizeof(entry->file_name), "%s", new_name);
    entry->has_no_tries = entry_name_has_no_tries(&name);
    set_path(entry, path);
    boot_interface_write_count_path(loader, path);
    console_log("%s: tries left: %u", entry->id, name.tries_left);
    return true;
}
