#include "bootloader/symbols.h"

#include "shared/memory.h"

bool symbols_load(struct loader *loader, const struct file *file)
{
    const struct config *config = &loader->config;
    memset(&loader->symbols, 0, sizeof(loader->symbols)); /* of another entry */
    if (!config_switch_setting(config, "symbols", config->hands_over_symbols))
        return true;
    if (kernel_symbols_load(file, &loader->pages, &loader->kernel, &loader->symbols) != LOADER_OK)
        return false;
    if (loader->symbols.count == 0)
        console_warn("symbols=on is ignored: %s has no symbol table", file->path);
    return true;
}
