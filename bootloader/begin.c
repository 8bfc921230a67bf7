#include "bootloader/begin.h"

#include "bootloader/arch.h"
#include "shared/address.h"

void begin_loader(struct loader *loader, EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    EFI_STATUS watchdog = firmware_start(image, system_table);
    loader_begin_phase(loader, "loader");
    config_set_defaults(&loader->config);

    console_log("Handoff loader %s", HANDOFF_VERSION_TEXT);
    if (EFI_ERROR(watchdog))
        console_warn("the firmware does not stop its watchdog (%s): the machine may reset",
                     error_status_name(watchdog));
}

bool begin_check_guest(void)
{
    const char *technology = arch_confidential_technology();
    if (technology != NULL)
        error_set(LOADER_ERROR_CONFIDENTIAL_GUEST, EFI_SUCCESS, "%s", technology);
    return technology == NULL;
}

bool begin_find_origin(struct loader *loader)
{
    if (firmware_find_image() != LOADER_OK)
        return false;
    const EFI_LOADED_IMAGE *image = firmware.loaded_image;
    struct phys_addr base = phys_addr((uint64_t)image->ImageBase);
    struct phys_range memory = {base, phys_addr_add(base, page_align_up(image->ImageSize))};
    const char *obstacle = loader_image_read(memory, image->ImageBase, &loader->placement.loader);
    if (obstacle != NULL)
        error_set(LOADER_ERROR_BAD_LOADER_IMAGE, EFI_SUCCESS, "%s, image at %llx", obstacle,
                  base.value);
    return obstacle == NULL;
}
