#include "bootloader/leave.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/exit.h"
#include "bootloader/own_faults.h"
#include "bootloader/regions.h"
#include "bootloader/reserve.h"
#include "bootloader/start_options.h"
#include "bootloader/tables.h"

/* If the map outgrows its room more often than this, it grows at every read. */
#define LAST_MAP_ATTEMPT_LIMIT 4

/* The firmware also allocates for its own use, for example when it prints. So the map may have
 * outgrown its room. Before the exit, the loader can reserve the block again. */
static bool read_last_map(struct loader *loader)
{
    EFI_STATUS status = exit_read_map(&loader->block.map);
    for (unsigned i = 1; status == EFI_BUFFER_TOO_SMALL && i < LAST_MAP_ATTEMPT_LIMIT; i++) {
        pages_free(&loader->pages, loader->placement.page_tables.start);
        pages_free(&loader->pages, loader->block.memory.start);
        if (!reserve_handoff(loader) || !regions_convert(loader, loader->features.levels) ||
            !tables_reserve(loader))
            return false;
        status = exit_read_map(&loader->block.map);
    }
    if (EFI_ERROR(status))
        error_set(LOADER_ERROR_MEMORY_MAP, status, "it cannot be read again");
    return !EFI_ERROR(status);
}

/* The map decides about regions and tables, so they are built before the exit: if one of them fails,
 * the firmware can still show the error. */
static bool build_from_map(struct loader *loader)
{
    return regions_build(loader) && tables_build(loader);
}

/* After a failed exit only the map may be read. So the failure of a later step seals the firmware. */
static bool read_map_again(struct loader *loader)
{
    EFI_STATUS status = exit_read_map(&loader->block.map);
    if (EFI_ERROR(status))
        error_set(LOADER_ERROR_EXIT, status, "reading the map again");
    bool is_good = !EFI_ERROR(status) && build_from_map(loader);
    if (!is_good)
        firmware_seal();
    return is_good;
}

static bool exit_firmware(struct loader *loader, unsigned *ret_attempt_count)
{
    for (unsigned attempt = 1;; attempt++) {
        post_exit_mark(&loader->post_exit, attempt == 1 ? "exit" : "again");
        EFI_STATUS status = exit_try(&loader->block.map);
        *ret_attempt_count = attempt;
        if (!EFI_ERROR(status))
            return true;
        if (status != EFI_INVALID_PARAMETER || attempt == EXIT_ATTEMPT_LIMIT) {
            firmware_seal();
            error_set(LOADER_ERROR_EXIT, status, "after %u attempts", attempt);
            return false;
        }
        if (!read_map_again(loader))
            return false;
    }
}

static void warn_of_firmware(struct loader *loader, unsigned attempt_count)
{
    regions_warn(loader);
    if (attempt_count > 1)
        console_warn("the firmware ended boot services after %u attempts", attempt_count);
    if (loader->block.map.version != EFI_MEMORY_DESCRIPTOR_VERSION)
        console_warn("the memory map has version %u, and is read as version 1",
                     loader->block.map.version);
}

/* Show the log first: after the exit, the firmware cannot show it. */
bool leave_firmware(struct loader *loader)
{
    unsigned attempt_count;

    loader_begin_phase(loader, "show log");
    console_show();
    /* The usual source is not shown: printing a line takes 300,000 instructions. */
    if (loader->start.command_line_source == NULL)
        start_options_log(loader);
    post_exit_initialise(&loader->post_exit, &loader->platform.framebuffers.list[0],
                         loader->serial.port, loader->config.command_line);
    loader_begin_phase(loader, "build tables");
    if (!read_last_map(loader) || !build_from_map(loader))
        return false;
    loader_begin_phase(loader, "exit firmware");
    own_faults_end();
    if (!exit_firmware(loader, &attempt_count))
        return false;

    arch_interrupts_disable();
    post_exit_mark(&loader->post_exit, "faults");
    fault_report_install(&loader->fault_report, &loader->post_exit, loader->kernel.slide);
    warn_of_firmware(loader, attempt_count);
    return true;
}
