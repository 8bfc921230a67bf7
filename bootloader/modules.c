#include "bootloader/modules.h"

#include "bootloader/integrity.h"
#include "shared/address.h"
#include "shared/memory.h"

/* No file system that firmware reads has larger files. */
#define MODULE_FILE_LIMIT_BYTES (UINT64_C(1) << 40)

/* The bytes that are checked are those that are handed over. */
static bool read_module(struct loader *loader, struct file *file,
                        const struct config_module *module, struct phys_range *ret_place)
{
    enum loader_error error =
        pages_allocate_for_reading(&loader->pages, file->size_bytes, module->alignment_bytes, 0,
                                   HANDOFF_REGION_MODULE, ret_place);
    if (error == LOADER_ERROR_OUT_OF_MEMORY)
        error_set(LOADER_ERROR_MODULE_MEMORY, last_failure.status, "%s: %llu KiB", file->path,
                  file->size_bytes / KIB);
    if (error != LOADER_OK)
        return false;
    uint8_t *bytes = (uint8_t *)ret_place->start.value;
    if (file_read(file, 0, bytes, file->size_bytes) != LOADER_OK)
        return false;
    file->bytes = bytes;
    memset(bytes + file->size_bytes, 0, phys_range_size_bytes(*ret_place) - file->size_bytes);
    ret_place->end = phys_addr_add(ret_place->start, file->size_bytes);
    return integrity_admit(loader, INTEGRITY_MODULE, file,
                           module->has_sha256 ? &module->sha256 : NULL);
}

/* A medium can hang: the last line names the file. */
static bool load_module(struct loader *loader, const struct config_module *module,
                        struct phys_range *ret_place)
{
    const char *texts = loader->config.modules.texts;
    struct file file;
    console_log("reading %s", texts + module->path);
    console_show();
    if (file_open(&loader->chooser.volume, texts + module->path, MODULE_FILE_LIMIT_BYTES, &file) !=
        LOADER_OK)
        return false;
    bool is_loaded = read_module(loader, &file, module, ret_place);
    file_close(&file, &loader->pages);
    if (is_loaded)
        console_log("module %s: %llu bytes at %llx", texts + module->name, file.size_bytes,
                    ret_place->start.value);
    return is_loaded;
}

bool modules_load(struct loader *loader)
{
    const struct config_modules *modules = &loader->config.modules;
    if (modules->count != 0)
        loader_begin_phase(loader, "load modules");
    for (unsigned i = 0; i < modules->count; i++) {
        if (!load_module(loader, &modules->list[i], &loader->placement.modules[i]))
            return false;
    }
    return true;
}
