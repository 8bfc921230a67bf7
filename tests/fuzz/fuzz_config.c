/* handoff.conf: any bytes give a status, and on success a struct that keeps config.h's promises. */
#include <stdbool.h>
#include <string.h>

#include "bootloader/pure/config.h"
#include "tests/fuzz/require.h"

static void require_sound_heaps(const struct config_heaps *heaps)
{
    require(heaps->count <= CONFIG_HEAP_LIMIT);
    for (unsigned i = 0; i < heaps->count; i++) {
        const struct config_heap *heap = &heaps->list[i];
        require(heap->size_bytes % 4096 == 0 && heap->size_bytes != 0);
        require(heap->size_bytes <= CONFIG_TEMP_HEAP_LIMIT);
        require(heap->from == 0 || heap->below == 0);
        require(heap->from % 4096 == 0 && heap->from <= UINT64_C(1) << 52);
    }
}

/* Each text ends inside of the texts in use. */
static void require_text(const struct config_modules *modules, uint16_t place)
{
    require(place < modules->text_size_bytes);
    require(memchr(modules->texts + place, '\0', modules->text_size_bytes - place) != NULL);
}

static void require_sound_modules(const struct config_modules *modules)
{
    require(modules->count <= CONFIG_MODULE_LIMIT);
    require(modules->text_size_bytes <= CONFIG_MODULE_TEXT_CAPACITY);
    for (unsigned i = 0; i < modules->count; i++) {
        const struct config_module *module = &modules->list[i];
        require_text(modules, module->path);
        require_text(modules, module->name);
        require_text(modules, module->command_line);
        require(modules->texts[module->path] == '\\');
        require(strstr(modules->texts + module->path, "..") == NULL);
        require(module->alignment_bytes == 4096 || module->alignment_bytes == 2 << 20);
    }
}

static void require_sound(const struct config *config)
{
    require(memchr(config->kernel_path, '\0', CONFIG_PATH_CAPACITY) != NULL);
    require(config->kernel_path[0] == '\\');
    require(strstr(config->kernel_path, "..") == NULL);
    for (size_t i = 0; config->kernel_path[i] != '\0'; i++)
        require(config->kernel_path[i] >= ' ' && config->kernel_path[i] <= '~' &&
                config->kernel_path[i] != '/');
    require(memchr(config->command_line, '\0', CONFIG_COMMAND_LINE_CAPACITY) != NULL);
    require(strchr(config->command_line, '\n') == NULL);
    require_sound_heaps(&config->temp_heaps);
    require_sound_modules(&config->modules);
    require(config->output_number <= CONFIG_OUTPUT_LIMIT);
    bool has_size = config->resolution == CONFIG_RESOLUTION_SIZE;
    require(has_size == (config->resolution_size.width_pixels != 0));
    require(has_size == (config->resolution_size.height_pixels != 0));
    require(config->resolution_size.width_pixels <= UINT16_MAX);
    require(config->resolution_size.height_pixels <= UINT16_MAX);
    require(config->serial.kind != SERIAL_WISH_NUMBER ||
            (config->serial.value >= 1 && config->serial.value <= SERIAL_NUMBER_LAST));
    require(config->serial.kind != SERIAL_WISH_PORT || (config->serial.value >= SERIAL_PORT_FIRST &&
                                                        config->serial.value <= SERIAL_PORT_LAST));
    require(memchr(config->title, '\0', CONFIG_TITLE_CAPACITY) != NULL);
    require(memchr(config->default_id, '\0', CONFIG_ID_CAPACITY) != NULL);
    require(memchr(config->efi_path, '\0', CONFIG_PATH_CAPACITY) != NULL);
    require(config->efi_path[0] == '\0' || config->efi_path[0] == '\\');
    require(config->timeout_seconds <= CONFIG_TIMEOUT_LIMIT ||
            config->timeout_seconds == CONFIG_TIMEOUT_NEVER);
    require((config->unknown_key_count == 0) == (config->first_unknown_line == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct config config;
    unsigned line = 12345;
    enum config_status status = config_parse((const char *)bytes, size_bytes, &config, &line);
    require(strlen(config_status_text(status)) > 0);
    if (status == CONFIG_OK) {
        require(line == 0);
        require_sound(&config);
    } else {
        require((line == 0) == (status == CONFIG_FILE_TOO_LARGE));
        require(line <= size_bytes + 1);
    }
    return 0;
}
