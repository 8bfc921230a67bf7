#include "bootloader/load.h"

#include "shared/address.h"

#define CONFIG_PATH "\\handoff.conf"

static bool parse_config(struct loader *loader, const struct file *file)
{
    struct config *config = &loader->config;
    unsigned line;
    enum config_status status = config_parse(file->bytes, file->size_bytes, config, &line);
    if (status != CONFIG_OK) {
        error_set(&loader->failure, LOADER_ERROR_CONFIG, EFI_SUCCESS, "%s, line %u: %s",
                  CONFIG_PATH, line, config_status_text(status));
        return false;
    }
    if (config->unknown_key_count != 0)
        console_warn(&loader->console, "%s: %u unknown keys are ignored, the first in line %u",
                     CONFIG_PATH, config->unknown_key_count, config->first_unknown_line);
    return true;
}

/* A missing file, and an empty one, mean the defaults. */
static bool load_config(struct loader *loader, const struct volume *volume)
{
    struct file file;
    enum loader_error error =
        file_read(volume, &loader->pages, CONFIG_PATH, CONFIG_FILE_LIMIT_BYTES, &file);
    if (error == LOADER_ERROR_FILE_NOT_FOUND || error == LOADER_ERROR_FILE_EMPTY)
        return true;
    if (error != LOADER_OK)
        return false;
    bool is_good = parse_config(loader, &file);
    file_free(&loader->pages, &file);
    return is_good;
}

static bool load_kernel(struct loader *loader, const struct volume *volume)
{
    const char *path = loader->config.kernel_path;
    struct file file;

    loader_begin_phase(loader, "read kernel");
    if (file_read(volume, &loader->pages, path, ELF_FILE_LIMIT_BYTES, &file) != LOADER_OK)
        return false;

    loader_begin_phase(loader, "load kernel");
    struct phys_range *memory = &loader->placement.kernel;
    enum loader_error error =
        kernel_image_load(&file, path, &loader->pages, &loader->kernel, memory);
    file_free(&loader->pages, &file);
    if (error != LOADER_OK)
        return false;
    console_log(&loader->console, "kernel %s: %llu KiB at %llx, entry %llx", path,
                phys_range_size_bytes(*memory) / KIB, memory->start.value,
                loader->kernel.entry.value);
    return true;
}

bool load_from_volume(struct loader *loader)
{
    struct volume volume;
    loader_begin_phase(loader, "read config");
    if (volume_open(&loader->firmware, &volume) != LOADER_OK)
        return false;
    bool is_loaded = load_config(loader, &volume) && load_kernel(loader, &volume);
    volume_close(&volume);
    return is_loaded;
}
