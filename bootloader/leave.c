#include "bootloader/leave.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/exit.h"
#include "bootloader/regions.h"
#include "bootloader/reserve.h"
#include "bootloader/tables.h"

/* If the map outgrows its room more often than this, it grows at every read. */
#define LAST_MAP_ATTEMPT_LIMIT 4

/* The firmware also allocates for its own use, for example when it prints. So the map may have
 * outgrown its room. Before the exit, the loader can reserve the block again. */
static bool read_last_map(struct loader *loader)
{
    EFI_STATUS status = exit_read_map(&loader->firmware, &loader->block.map);
    for (unsigned i = 1; status == EFI_BUFFER_TOO_SMALL && i < LAST_MAP_ATTEMPT_LIMIT; i++) {
        pages_free(&loader->pages, loader->placement.page_tables.start);
        pages_free(&loader->pages, loader->block.memory.start);
        if (!reserve_handoff(loader) || !regions_convert(loader, loader->features.levels) ||
            !tables_reserve(loader))
            return false;
        status = exit_read_map(&loader->firmware, &loader->block.map);
    }
    if (EFI_ERROR(status))
        error_set(&loader->failure, LOADER_ERROR_MEMORY_MAP, status, "it cannot be read again");
    return !EFI_ERROR(status);
}

/* Show the log first: after the exit, the firmware cannot show it. */
bool leave_firmware(struct loader *loader)
{
    unsigned attempt_count;

    loader_begin_phase(loader, "show log");
    console_show(&loader->console);
    post_exit_initialise(&loader->post_exit, &loader->platform.framebuffer,
                         loader->config.command_line);
    loader_begin_phase(loader, "exit firmware");
    if (!read_last_map(loader) ||
        exit_boot_services(&loader->firmware, &loader->block.map, &attempt_count) != LOADER_OK)
        return false;

    arch_interrupts_disable();
    fault_report_install(&loader->fault_report, &loader->post_exit);
    if (attempt_count > 1)
        console_warn(&loader->console, "the firmware ended boot services after %u attempts",
                     attempt_count);
    if (loader->block.map.version != EFI_MEMORY_DESCRIPTOR_VERSION)
        console_warn(&loader->console, "the memory map has version %u, and is read as version 1",
                     loader->block.map.version);
    return true;
}
