#include "bootloader/chain_load.h"

#include "bootloader/boot_interface.h"
#include "bootloader/boot_record.h"
#include "bootloader/firmware/clock.h"
#include "bootloader/firmware/program.h"
#include "bootloader/integrity.h"
#include "bootloader/own_faults.h"
#include "bootloader/pure/elf.h"

/* The firmware gets the bytes, not the path: so it starts the bytes that were checked. The hash of
 * the configuration counts for the entry's application only. */
static bool load(struct loader *loader, struct file *file, const char *options,
                 struct program *ret_program)
{
    const struct config *config = &loader->config;
    bool has_hash = config->has_kernel_sha256 && file->path == config->efi_path;
    return file_keep(file, &loader->pages) == LOADER_OK &&
           integrity_admit(loader, INTEGRITY_EFI_APPLICATION, file,
                           has_hash ? &config->kernel_sha256 : NULL) &&
           program_load(file, options, ret_program) == LOADER_OK;
}

static bool load_from_path(struct loader *loader, const char *path, const char *options,
                           struct program *ret_program)
{
    struct file file;
    if (file_open(&loader->chooser.volume, path, ELF_FILE_LIMIT_BYTES, &file) != LOADER_OK)
        return false;
    bool is_loaded = load(loader, &file, options, ret_program);
    file_close(&file, &loader->pages);
    return is_loaded;
}

/* The loader's part ends here, for the boot record and for faults, as far as it knows: an operating
 * system never returns. */
static bool start(struct loader *loader, const struct program *program)
{
    boot_record_set_stage(loader, POST_MORTEM_ENDED);
    own_faults_end();
    bool is_good = program_start(program) == LOADER_OK;
    own_faults_begin();
    boot_record_set_stage(loader, POST_MORTEM_LOADER);
    return is_good;
}

bool chain_load(struct loader *loader, const char *path, const char *options)
{
    struct program program;
    loader_begin_phase(loader, "EFI application");
    if (!load_from_path(loader, path, options, &program))
        return false;
    if (!loader->start.writes_variables)
        boot_interface_begin(loader);
    boot_interface_write_times(loader, clock_find(&loader->platform.firmware_tables).frequency_hz);
    return start(loader, &program);
}
