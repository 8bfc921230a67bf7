#include "bootloader/pure/config_value.h"
#include "shared/address.h"
#include "shared/memory.h"
#include "shared/text/number.h"
#include "shared/text/text.h"

#define LARGE_ALIGNMENT_BYTES (2 * MIB)

_Static_assert(CONFIG_MODULE_TEXT_CAPACITY <= UINT16_MAX, "a place fits");

static enum config_status add_text(struct config_modules *modules, const struct piece *text,
                                   uint16_t *ret_place)
{
    unsigned place = modules->text_size_bytes;
    if (text->length >= CONFIG_MODULE_TEXT_CAPACITY - place)
        return CONFIG_MODULE_TEXTS_TOO_LONG;
    memcpy(modules->texts + place, text->text, text->length);
    modules->texts[place + text->length] = '\0';
    modules->text_size_bytes = place + (unsigned)text->length + 1;
    *ret_place = (uint16_t)place;
    return CONFIG_OK;
}

static struct config_module *last_module(struct config *config)
{
    return &config->modules.list[config->modules.count - 1];
}

enum config_status config_module_begin(struct piece value, struct config *config)
{
    struct config_modules *modules = &config->modules;
    char path[CONFIG_PATH_CAPACITY];
    enum config_status status = config_value_path(value, path);
    if (status != CONFIG_OK)
        return status;
    if (modules->count == CONFIG_MODULE_LIMIT)
        return CONFIG_TOO_MANY_MODULES;
    if (modules->count++ == 0)
        modules->text_size_bytes = 1; /* the empty text */

    struct config_module *module = last_module(config);
    memset(module, 0, sizeof(*module));
    module->alignment_bytes = PAGE_SIZE_BYTES;
    size_t length = text_length(path);
    status = add_text(modules, &(struct piece){path, length}, &module->path);
    while (path[length - 1] != '\\') /* each path begins with one */
        length--;
    module->name = (uint16_t)(module->path + length);
    return status;
}

enum config_status config_module_store_name(struct piece value, struct config *config)
{
    if (value.length == 0)
        return CONFIG_EMPTY_VALUE;
    if (!config_value_is_printable(value))
        return CONFIG_PATH_NOT_ASCII;
    return add_text(&config->modules, &value, &last_module(config)->name);
}

enum config_status config_module_store_command_line(struct piece value, struct config *config)
{
    return add_text(&config->modules, &value, &last_module(config)->command_line);
}

enum config_status config_module_store_alignment(struct piece value, struct config *config)
{
    uint64_t size_bytes;
    if (!number_parse(value.text, value.length, &size_bytes) ||
        (size_bytes != PAGE_SIZE_BYTES && size_bytes != LARGE_ALIGNMENT_BYTES))
        return CONFIG_BAD_ALIGNMENT;
    last_module(config)->alignment_bytes = (uint32_t)size_bytes;
    return CONFIG_OK;
}

enum config_status config_module_store_sha256(struct piece value, struct config *config)
{
    struct config_module *module = last_module(config);
    module->has_sha256 = sha256_parse(value, &module->sha256);
    return module->has_sha256 ? CONFIG_OK : CONFIG_BAD_SHA256;
}
