#include "bootloader/list.h"

#include "bootloader/boot_interface.h"
#include "bootloader/firmware/own_folder.h"
#include "bootloader/integrity.h"
#include "bootloader/start_options.h"
#include "shared/address.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

#define CONFIG_NAME "\\handoff.conf"

/* The limit ends a list without an end, which damaged volumes have. */
#define FOLDER_ROW_LIMIT 4096

/* --- handoff.conf --- */

static bool parse_config(struct loader *loader)
{
    const struct file *file = &loader->chooser.config;
    const struct config *globals = &loader->globals;
    struct config_wrong wrong;
    enum config_status status =
        entries_begin((struct piece){(const char *)file->bytes, file->size_bytes}, &loader->entries,
                      &loader->globals, &loader->config, &wrong);
    if (status == CONFIG_BAD_INJECT) {
        error_set(LOADER_ERROR_INJECT, EFI_SUCCESS, "line %u; the words: " INJECT_WORDS,
                  wrong.line);
        return false;
    }
    if (status != CONFIG_OK) {
        error_set(LOADER_ERROR_CONFIG, EFI_SUCCESS, "");
        config_describe_wrong("", loader->chooser.config_path, status, &wrong, last_failure.detail,
                              sizeof(last_failure.detail));
        return false;
    }
    if (globals->unknown_key_count != 0)
        console_warn("%s: %u unknown keys are ignored, the first in line %u",
                     loader->chooser.config_path, globals->unknown_key_count,
                     globals->first_unknown_line);
    return true;
}

/* Open handoff.conf in the folder of the loader, or else in the root. */
static enum loader_error open_config(struct loader *loader, struct file *ret_file)
{
    char *path = loader->chooser.config_path;
    size_t room_bytes = sizeof(loader->chooser.config_path);
    if (!own_folder_find(path, room_bytes - sizeof(CONFIG_NAME)))
        path[0] = '\0';
    for (;;) {
        size_t length = text_length(path);
        memcpy(path + length, CONFIG_NAME, sizeof(CONFIG_NAME));
        enum loader_error error =
            file_open(&loader->chooser.volume, path, CONFIG_FILE_LIMIT_BYTES, ret_file);
        if (error != LOADER_ERROR_FILE_NOT_FOUND || length == 0)
            return error;
        path[0] = '\0';
    }
}

/* Without a file the text is empty. */
static bool load_config(struct loader *loader)
{
    struct file *file = &loader->chooser.config;
    enum loader_error error = open_config(loader, file);
    if (error == LOADER_OK && (file_keep(file, &loader->pages) != LOADER_OK ||
                               !integrity_admit(loader, INTEGRITY_CONFIG, file, NULL)))
        return false;
    if (error != LOADER_OK && error != LOADER_ERROR_FILE_NOT_FOUND &&
        error != LOADER_ERROR_FILE_EMPTY)
        return false;
    return parse_config(loader);
}

/* --- The files of entries --- */

/* The size of a file is kept as the length of its entry's text. Return the sum of the sizes. */
static uint64_t list_files(struct loader *loader, EFI_FILE_HANDLE folder)
{
    struct folder_row row;
    uint64_t sum_bytes = 0;
    unsigned ignored_count = loader->entries.left_out_count; /* of handoff.conf: not files */
    for (unsigned i = 0; i < FOLDER_ROW_LIMIT && folder_next(folder, &row); i++) {
        if (row.is_folder)
            continue;
        struct entry *entry = entries_add_file(&loader->entries, row.name);
        if (entry == NULL) {
            ignored_count++;
            continue;
        }
        entry->text.length = row.size_bytes;
        if (row.size_bytes <= CONFIG_FILE_LIMIT_BYTES)
            sum_bytes += row.size_bytes;
    }
    ignored_count -= loader->entries.left_out_count;
    if (ignored_count != 0)
        console_warn("%u files of %s are ignored: the name is not ID.conf", ignored_count,
                     ENTRY_FOLDER);
    return sum_bytes;
}

/* A menu that opens shows the last one. The log has them all. */
static void warn_of_refusal(struct loader *loader, const struct entry *entry)
{
    static char sentence[600];
    error_format_sentence(&last_failure, sentence, sizeof(sentence));
    console_warn("the file of entry %s is refused: %s", entry->id, sentence);
    loader->chooser.refusal = sentence;
}

/* Read the file to the place of the entry's text. Its size may be smaller now. */
static bool read_file(struct loader *loader, struct entry *entry)
{
    char path[sizeof(ENTRY_FOLDER) + ENTRY_FILE_NAME_CAPACITY];
    void *text = (void *)entry->text.text;
    struct file file;
    format_text(path, sizeof(path), "%s\\%s", ENTRY_FOLDER, entry->file_name);
    if (file_open(&loader->chooser.volume, path, entry->text.length, &file) != LOADER_OK)
        return false;
    enum loader_error error = file_read(&file, 0, text, file.size_bytes);
    file_close(&file, &loader->pages);
    if (error != LOADER_OK)
        return false;
    file.bytes = text;
    entry->text.length = file.size_bytes;
    if (integrity_admit(loader, INTEGRITY_ENTRY_FILE, &file, NULL))
        return true;
    warn_of_refusal(loader, entry);
    return false;
}

static void load_file(struct loader *loader, struct entry *entry)
{
    if (read_file(loader, entry))
        return;
    entry->text.length = 0;
    if (last_failure.error == LOADER_ERROR_FILE_EMPTY)
        return;
    entry->error = last_failure.error;
    entry->status = CONFIG_UNREAD; /* without its lines, the global ones would start */
}

static void load_texts(struct loader *loader, const char *text)
{
    struct entry_list *list = &loader->entries;
    for (unsigned i = 0; i < list->count; i++) {
        struct entry *entry = &list->entries[i];
        if (entry->file_name[0] == '\0')
            continue;
        entry->text.text = text;
        if (entry->text.length <= CONFIG_FILE_LIMIT_BYTES) {
            load_file(loader, entry);
            text += entry->text.length;
        }
        entry_read_text(list, entry);
    }
}

static bool read_files(struct loader *loader, uint64_t sum_bytes)
{
    struct phys_range block = {0};
    if (sum_bytes > 0 && pages_allocate_for_reading(&loader->pages, sum_bytes, PAGE_SIZE_BYTES, 0,
                                                    HANDOFF_REGION_LOADER, &block) != LOADER_OK)
        return false;
    loader->chooser.texts = block.start;
    load_texts(loader, (const char *)block.start.value);
    return true;
}

static bool load_files(struct loader *loader)
{
    EFI_FILE_HANDLE folder;
    enum loader_error error = folder_open(&loader->chooser.volume, ENTRY_FOLDER, &folder);
    if (error == LOADER_ERROR_FILE_NOT_FOUND)
        return true;
    if (error != LOADER_OK) {
        console_warn("no files of entries are read: %s", last_failure.detail);
        return true;
    }
    uint64_t sum_bytes = list_files(loader, folder);
    folder->Close(folder);
    return read_files(loader, sum_bytes);
}

bool list_entries(struct loader *loader)
{
    loader_begin_phase(loader, "read config");
    if (volume_open(&loader->chooser.volume) != LOADER_OK)
        return false;
    if (!load_config(loader) || !load_files(loader))
        return false;
    entries_finish(&loader->entries);
    if (!loader->globals.ignores_load_options)
        start_options_read(loader);
    if (!loader->entries.is_single)
        boot_interface_begin(loader);
    if (loader->entries.left_out_count != 0)
        console_warn("only %u entries are listed, and %u are left out", ENTRY_LIMIT,
                     loader->entries.left_out_count);
    return true;
}

void list_close(struct loader *loader)
{
    struct chooser *chooser = &loader->chooser;
    if (chooser->volume.root == NULL)
        return;
    if (chooser->config.handle != NULL)
        file_close(&chooser->config, &loader->pages);
    pages_free(&loader->pages, chooser->texts);
    volume_close(&chooser->volume);
    chooser->volume.root = NULL;
}
