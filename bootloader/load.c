#include "bootloader/load.h"

#include "bootloader/demands.h"
#include "bootloader/inject.h"
#include "bootloader/start_options.h"
#include "shared/address.h"
#include "shared/text/command_line.h"

#define CONFIG_PATH "\\handoff.conf"

static bool parse_config(struct loader *loader, const char *text, size_t size_bytes)
{
    struct config *config = &loader->config;
    unsigned line;
    enum config_status status = config_parse(text, size_bytes, config, &line);
    if (status == CONFIG_BAD_INJECT) {
        char words[INJECT_WORDS_CAPACITY];
        inject_list_words(words, sizeof(words));
        error_set(&loader->failure, LOADER_ERROR_INJECT, EFI_SUCCESS, "line %u; the words: %s",
                  line, words);
        return false;
    }
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

static bool read_config(struct loader *loader, const struct file *file)
{
    struct phys_range block;
    if (pages_allocate_for_reading(&loader->pages, file->size_bytes, PAGE_SIZE_BYTES, 0,
                                   HANDOFF_REGION_LOADER, &block) != LOADER_OK)
        return false;
    void *text = (void *)block.start.value;
    bool is_good = file_read(file, 0, text, file->size_bytes) == LOADER_OK &&
                   parse_config(loader, text, file->size_bytes);
    pages_free(&loader->pages, block.start);
    return is_good;
}

/* A missing file, and an empty one, mean the defaults. */
static bool load_config(struct loader *loader, const struct volume *volume)
{
    struct file file;
    enum loader_error error = file_open(volume, CONFIG_PATH, CONFIG_FILE_LIMIT_BYTES, &file);
    if (error == LOADER_ERROR_FILE_NOT_FOUND || error == LOADER_ERROR_FILE_EMPTY)
        return true;
    if (error != LOADER_OK)
        return false;
    bool is_good = read_config(loader, &file);
    file_close(&file);
    return is_good;
}

static bool load_kernel(struct loader *loader, const struct volume *volume)
{
    const char *path = loader->config.kernel_path;
    struct phys_range *memory = &loader->placement.kernel;
    struct file file;

    loader_begin_phase(loader, "load kernel");
    if (file_open(volume, path, ELF_FILE_LIMIT_BYTES, &file) != LOADER_OK)
        return false;
    bool is_loaded = kernel_image_read_headers(&file, &loader->pages, &loader->kernel,
                                               &loader->demands) == LOADER_OK &&
                     demands_check_loader(loader) &&
                     kernel_image_load(&file, &loader->pages, &loader->kernel, &loader->demands,
                                       memory) == LOADER_OK;
    file_close(&file);
    if (!is_loaded)
        return false;
    console_log(&loader->console, "kernel: %llu KiB at %llx, entry %llx",
                phys_range_size_bytes(*memory) / KIB, memory->start.value,
                loader->kernel.entry.value);
    return true;
}

/* The kernel may come from a slow medium, or from one that hangs: show what the loader does. With
 * `quiet`, the picture that the firmware shows stays until the kernel draws, or until an error. */
static void show_first_lines(struct loader *loader)
{
    loader->console.is_quiet = command_line_has(loader->config.command_line, "quiet");
    loader->console.has_colour = command_line_is(loader->config.command_line, "colour", "on");
    if (loader->start.command_line_source != NULL)
        start_options_log(loader);
    console_log(&loader->console, "reading %s", loader->config.kernel_path);
    console_show(&loader->console);
}

bool load_from_volume(struct loader *loader)
{
    struct volume volume;
    loader_begin_phase(loader, "read config");
    if (volume_open(&loader->firmware, &volume) != LOADER_OK)
        return false;
    bool is_loaded = load_config(loader, &volume);
    if (is_loaded) {
        start_options_take(loader);
        show_first_lines(loader);
        is_loaded = inject_begin(loader) && load_kernel(loader, &volume);
    }
    volume_close(&volume);
    return is_loaded;
}
