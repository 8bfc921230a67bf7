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

static bool parse_config(struct loader *loader, struct piece text)
{
    struct chooser *chooser = &loader->chooser;
    const struct config *globals = &loader->globals;
    struct config_wrong wrong;
    enum config_status status =
        entries_begin(text, &loader->entries, &loader->globals, &loader->config, &wrong);
    memcpy(&loader->config, globals, sizeof(*globals));
    if (status == CONFIG_BAD_INJECT) {
        char words[INJECT_WORDS_CAPACITY];
        inject_list_words(words, sizeof(words));
        error_set(&loader->failure, LOADER_ERROR_INJECT, EFI_SUCCESS, "line %u; the words: %s",
                  wrong.line, words);
        return false;
    }
    if (status != CONFIG_OK) {
        error_set(&loader->failure, LOADER_ERROR_CONFIG, EFI_SUCCESS, "");
        config_describe_wrong("", chooser->config_path, status, &wrong, loader->failure.detail,
                              sizeof(loader->failure.detail));
        return false;
    }
    if (globals->unknown_key_count != 0)
        console_warn(&loader->console, "%s: %u unknown keys are ignored, the first in line %u",
                     chooser->config_path, globals->unknown_key_count, globals->first_unknown_line);
    return true;
}

static bool allocate_text(struct loader *loader, uint64_t size_bytes, char **ret_text)
{
    struct chooser *chooser = &loader->chooser;
    struct phys_range block;
    if (pages_allocate_for_reading(&loader->pages, size_bytes, PAGE_SIZE_BYTES, 0,
                                   HANDOFF_REGION_LOADER, &block) != LOADER_OK)
        return false;
    chooser->texts[chooser->text_count++] = block.start;
    *ret_text = (char *)block.start.value;
    return true;
}

static bool read_config(struct loader *loader, const struct file *file)
{
    char *text;
    if (!allocate_text(loader, file->size_bytes, &text) ||
        file_read(file, 0, text, file->size_bytes) != LOADER_OK)
        return false;
    const struct integrity_subject subject = {INTEGRITY_CONFIG, file->path, text, file->size_bytes,
                                              NULL};
    return integrity_admit(loader, &subject) &&
           parse_config(loader, (struct piece){text, file->size_bytes});
}

/* Open handoff.conf in the folder of the loader, or else in the root. */
static enum loader_error open_config(struct loader *loader, struct file *ret_file)
{
    char *path = loader->chooser.config_path;
    size_t room_bytes = sizeof(loader->chooser.config_path);
    if (own_folder_find(&loader->firmware, path, room_bytes - sizeof(CONFIG_NAME))) {
        size_t length = text_length(path);
        memcpy(path + length, CONFIG_NAME, sizeof(CONFIG_NAME));
        enum loader_error error =
            file_open(&loader->chooser.volume, path, CONFIG_FILE_LIMIT_BYTES, ret_file);
        if (error != LOADER_ERROR_FILE_NOT_FOUND || length == 0)
            return error;
    }
    memcpy(path, CONFIG_NAME, sizeof(CONFIG_NAME));
    return file_open(&loader->chooser.volume, path, CONFIG_FILE_LIMIT_BYTES, ret_file);
}

static bool load_config(struct loader *loader)
{
    struct file file;
    enum loader_error error = open_config(loader, &file);
    if (error == LOADER_ERROR_FILE_NOT_FOUND || error == LOADER_ERROR_FILE_EMPTY)
        return parse_config(loader, (struct piece){"", 0});
    if (error != LOADER_OK)
        return false;
    bool is_good = read_config(loader, &file);
    file_close(&file);
    return is_good;
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
        console_warn(&loader->console, "%u files of %s are ignored: the name is not ID.conf",
                     ignored_count, ENTRY_FOLDER);
    return sum_bytes;
}

/* A menu that opens shows the last one. The log has them all. */
static enum loader_error warn_of_refusal(struct loader *loader, const struct entry *entry)
{
    static char sentence[600];
    error_format_sentence(&loader->failure, sentence, sizeof(sentence));
    console_warn(&loader->console, "the file of entry %s is refused: %s", entry->id, sentence);
    loader->chooser.refusal = sentence;
    return loader->failure.error;
}

/* Read the file into `text`. Return the number of bytes. */
static uint64_t read_file(struct loader *loader, struct entry *entry, char *text)
{
    char path[sizeof(ENTRY_FOLDER) + ENTRY_FILE_NAME_CAPACITY];
    struct file file;
    format_text(path, sizeof(path), "%s\\%s", ENTRY_FOLDER, entry->file_name);
    enum loader_error error = file_open(&loader->chooser.volume, path, entry->text.length, &file);
    if (error == LOADER_OK) {
        error = file_read(&file, 0, text, file.size_bytes);
        file_close(&file);
    }
    if (error == LOADER_OK) {
        const struct integrity_subject subject = {INTEGRITY_ENTRY_FILE, path, text, file.size_bytes,
                                                  NULL};
        if (integrity_admit(loader, &subject))
            return file.size_bytes;
        error = warn_of_refusal(loader, entry);
    }
    if (error == LOADER_ERROR_FILE_EMPTY)
        return 0;
    entry->error = error;
    entry->status = CONFIG_UNREAD; /* without its lines, the global ones would start */
    return 0;
}

static bool read_files(struct loader *loader, uint64_t sum_bytes)
{
    struct entry_list *list = &loader->entries;
    char *text = NULL;
    if (sum_bytes > 0 && !allocate_text(loader, sum_bytes, &text))
        return false;
    for (unsigned i = 0; i < list->count; i++) {
        struct entry *entry = &list->entries[i];
        struct piece piece = {text, entry->text.length};
        if (entry->file_name[0] == '\0')
            continue;
        if (piece.length <= CONFIG_FILE_LIMIT_BYTES)
            piece.length = read_file(loader, entry, text);
        if (piece.length <= CONFIG_FILE_LIMIT_BYTES)
            text += piece.length;
        entry_set_text(list, entry, piece, &loader->globals, &loader->config);
        /* One entry's `tpm` must not count for the next one's file. */
        memcpy(&loader->config, &loader->globals, sizeof(loader->config));
    }
    return true;
}

static bool load_files(struct loader *loader)
{
    EFI_FILE_HANDLE folder;
    enum loader_error error = folder_open(&loader->chooser.volume, ENTRY_FOLDER, &folder);
    if (error == LOADER_ERROR_FILE_NOT_FOUND)
        return true;
    if (error != LOADER_OK) {
        console_warn(&loader->console, "no files of entries are read: %s", loader->failure.detail);
        return true;
    }
    uint64_t sum_bytes = list_files(loader, folder);
    folder->Close(folder);
    return read_files(loader, sum_bytes);
}

bool list_entries(struct loader *loader)
{
    loader_begin_phase(loader, "read config");
    if (volume_open(&loader->firmware, &loader->chooser.volume) != LOADER_OK)
        return false;
    if (!load_config(loader) || !load_files(loader))
        return false;
    entries_finish(&loader->entries, &loader->globals);
    if (!loader->globals.ignores_load_options)
        start_options_read(loader);
    if (!loader->entries.is_single)
        boot_interface_begin(loader);
    if (loader->entries.left_out_count != 0)
        console_warn(&loader->console, "only %u entries are listed, and %u are left out",
                     ENTRY_LIMIT, loader->entries.left_out_count);
    return true;
}

static void free_texts(struct loader *loader)
{
    struct chooser *chooser = &loader->chooser;
    while (chooser->text_count > 0)
        pages_free(&loader->pages, chooser->texts[--chooser->text_count]);
}

void list_close(struct loader *loader)
{
    struct volume *volume = &loader->chooser.volume;
    free_texts(loader);
    if (volume->root != NULL)
        volume_close(volume);
    volume->root = NULL;
}
