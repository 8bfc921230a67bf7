#include "bootloader/gather.h"

#include "bootloader/arch.h"
#include "bootloader/boot_interface.h"
#include "bootloader/firmware/platform.h"
#include "bootloader/firmware/serial_port.h"
#include "bootloader/inject.h"
#include "bootloader/processors.h"

void gather_facts(struct loader *loader)
{
    loader_begin_phase(loader, "gather platform");
    console_log("asking the firmware"); /* some of its drivers take long, or hang */
    console_show();
    platform_gather(&loader->platform);
    serial_port_choose(&loader->platform.firmware_tables, &loader->config.serial, &loader->serial);
    screen_gather(&loader->screen, &loader->config, &loader->platform.framebuffers);
    platform_log(&loader->platform);
    boot_interface_write_times(loader, loader->platform.clock_frequency_hz);
    processors_find(loader);
    loader->no_execute_was_off = arch_no_execute_switch_on();
    arch_page_features(&loader->features);
    if (loader->no_execute_was_off)
        console_warn("the firmware switched no-execute pages off: %s",
                     loader->features.no_execute ? PACKED("the loader switched them on")
                                                 : PACKED("the CPU keeps them off"));
    loader->firmware_levels = loader->features.levels;
    inject_change_facts(loader);
}
