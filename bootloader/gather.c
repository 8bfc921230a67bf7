#include "bootloader/gather.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/platform.h"
#include "bootloader/firmware/serial_port.h"

void gather_facts(struct loader *loader)
{
    loader_begin_phase(loader, "gather platform");
    platform_gather(&loader->firmware, &loader->console, &loader->platform);
    loader->serial = serial_port_choose(&loader->firmware, &loader->console,
                                        &loader->platform.firmware_tables, &loader->config.serial);
    arch_page_features(&loader->features);
    loader->firmware_levels = loader->features.levels;
}
