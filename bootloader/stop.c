#include "bootloader/stop.h"

#include "bootloader/arch.h"
#include "bootloader/boot_record.h"
#include "shared/text/command_line.h"

/* A user has this long to read an error. Then the firmware tries its next boot option. */
#define READING_SECONDS 10

EFI_STATUS stop_loader(struct loader *loader)
{
    char report[800];
    error_format_report(&loader->failure, report, sizeof(report));

    if (firmware_is_sealed(&loader->firmware)) {
        arch_interrupts_disable();
        post_exit_print(&loader->post_exit, "%s", report);
        post_exit_stop(&loader->post_exit, DEBUG_EXIT_LOADER_FAULT);
    }
    console_show_error(&loader->console, report);
    boot_record_set_stage(loader, POST_MORTEM_ENDED); /* the error was shown: nothing is unknown */
    pages_free_all(&loader->pages);
    if (!command_line_has(loader->config.command_line, "unattended"))
        console_wait_for_key(&loader->console, READING_SECONDS);
    return error_exit_status(&loader->failure);
}
