#include "bootloader/details.h"

#include "bootloader/pure/sha256.h"
#include "bootloader/start_options.h"
#include "shared/text/format.h"

struct writer {
    char *text;
    size_t capacity_bytes;
};

__attribute__((format(printf, 2, 3))) static void add(struct writer *writer, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = (size_t)format_text_v(writer->text, writer->capacity_bytes, format, arguments);
    va_end(arguments);
    if (length > writer->capacity_bytes)
        length = writer->capacity_bytes;
    writer->text += length;
    writer->capacity_bytes -= length;
}

/* The whole file is read for its SHA-256. */
static void add_hash(struct loader *loader, struct writer *writer, struct file *file)
{
    struct sha256 hash;
    char digits[SHA256_TEXT_CAPACITY];
    if (file_keep(file, &loader->pages) != LOADER_OK)
        return;
    sha256_of(file->bytes, file->size_bytes, &hash);
    add(writer, "  SHA-256 %s\n", sha256_format(&hash, digits));
}

static void add_file(struct loader *loader, struct writer *writer, const char *kind,
                     const char *path)
{
    struct file file;
    add(writer, "%s: %s", kind, path);
    if (file_open(&loader->chooser.volume, path, UINT64_MAX, &file) != LOADER_OK) {
        add(writer, " (%s)\n", error_cause((unsigned)last_failure.error));
        return;
    }
    add(writer, ", %llu bytes\n", file.size_bytes);
    add_hash(loader, writer, &file);
    file_close(&file, &loader->pages);
}

static void add_modules(struct loader *loader, struct writer *writer)
{
    const struct config_modules *modules = &loader->config.modules;
    for (unsigned i = 0; i < modules->count; i++)
        add_file(loader, writer, "module", modules->texts + modules->list[i].path);
}

void details_write(struct loader *loader, struct entry *entry, char *text, size_t capacity_bytes)
{
    struct writer writer = {text, capacity_bytes};
    struct config *config = &loader->config;
    const char *config_path = loader->chooser.config_path;
    bool has_file = entry->file_name[0] != '\0';
    add(&writer, "%s\nID: %s, from %s%s\n", entry->title, entry->id,
        has_file ? ENTRY_FOLDER "\\" : "", has_file ? entry->file_name : config_path);
    if (entry->status != CONFIG_OK) {
        entry_describe_error(entry, config_path, writer.text, writer.capacity_bytes);
        return;
    }
    entry_configure(&loader->entries, entry);
    start_options_apply(loader);
    if (config->efi_path[0] != '\0') {
        add_file(loader, &writer, "EFI application", config->efi_path);
    } else {
        add_file(loader, &writer, "kernel", config->kernel_path);
        add_modules(loader, &writer);
    }
    add(&writer, "command line: %s\n", config->command_line);
}
