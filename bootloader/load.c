#include "bootloader/load.h"

#include "bootloader/boot_counter.h"
#include "bootloader/boot_interface.h"
#include "bootloader/chain_load.h"
#include "bootloader/demands.h"
#include "bootloader/inject.h"
#include "bootloader/integrity.h"
#include "bootloader/modules.h"
#include "bootloader/relocate.h"
#include "bootloader/start_options.h"
#include "bootloader/symbols.h"
#include "shared/address.h"
#include "shared/text/command_line.h"

static bool load_kernel(struct loader *loader)
{
    const char *path = loader->config.kernel_path;
    struct phys_range *memory = &loader->placement.kernel;
    struct file file;

    loader_begin_phase(loader, "load kernel");
    if (file_open(&loader->chooser.volume, path, ELF_FILE_LIMIT_BYTES, &file) != LOADER_OK)
        return false;
    bool is_loaded = integrity_admit_kernel(loader, &file) &&
                     kernel_image_read_headers(&file, &loader->pages, &loader->kernel,
                                               &loader->demands) == LOADER_OK &&
                     demands_check_loader(loader) &&
                     kernel_image_load(&file, &loader->pages, &loader->kernel, &loader->demands,
                                       memory) == LOADER_OK &&
                     symbols_load(loader, &file) && relocate_kernel(loader);
    file_close(&file, &loader->pages);
    if (!is_loaded)
        return false;
    console_log("kernel: %llu KiB at %llx, entry %llx", phys_range_size_bytes(*memory) / KIB,
                memory->start.value, loader->kernel.entry.value);
    return true;
}

/* The kernel may come from a slow medium, or from one that hangs: show what the loader does. With
 * `quiet`, the picture that the firmware shows stays until the kernel draws, or until an error. */
static void show_first_lines(struct loader *loader)
{
    console.is_quiet = command_line_has(loader->config.command_line, "quiet");
    console.has_colour = command_line_is(loader->config.command_line, "colour", "on");
    if (loader->start.command_line_source != NULL)
        start_options_log(loader);
    console_log("reading %s", loader->config.efi_path[0] != '\0' ? loader->config.efi_path
                                                                 : loader->config.kernel_path);
    console_show();
}

/* Nothing of this entry stays for the next one. */
static void undo(struct loader *loader, size_t kept_count)
{
    pages_free_newest(&loader->pages, kept_count);
    pages_set_limit(&loader->pages, PAGES_NO_LIMIT);
    firmware.services = firmware.system_table->BootServices;
}

/* Return true if a kernel is loaded. An EFI application has run when this returns. */
static bool load(struct loader *loader)
{
    const struct config *config = &loader->config;
    if (!integrity_measure_command_line(loader))
        return false;
    if (config->efi_path[0] == '\0')
        return inject_begin(loader) && relocate_check_settings(loader) && load_kernel(loader) &&
               modules_load(loader);
    loader->chooser.has_returned = chain_load(loader, config->efi_path, config->command_line);
    return false;
}

bool load_entry(struct loader *loader)
{
    size_t kept_count = loader->pages.block_count;
    show_first_lines(loader);
    boot_interface_publish(loader);
    if (boot_counter_use_try(loader, loader->chooser.chosen) && load(loader))
        return true;
    undo(loader, kept_count);
    return false;
}
