#include "bootloader/stop.h"

#include "bootloader/arch.h"
#include "bootloader/boot_record.h"
#include "bootloader/firmware/clock.h"
#include "bootloader/firmware/keyboard.h"
#include "bootloader/list.h"
#include "bootloader/serial.h"
#include "shared/text/command_line.h"

/* A person has this long to read an error. Then the firmware tries its next boot option. */
#define READING_SECONDS 10

static uint64_t clock_hz(const struct loader *loader)
{
    uint64_t known_hz = loader->platform.clock_frequency_hz;
    if (known_hz != 0)
        return known_hz;
    return clock_find(&loader->platform.firmware_tables).frequency_hz;
}

/* Nobody can read on a machine without a console. */
static void wait_for_reader(struct loader *loader)
{
    const EFI_SYSTEM_TABLE *system_table = firmware.system_table;
    if (system_table->ConOut == NULL && system_table->ConIn == NULL)
        return;
    console_log_rare("Press a key to return to the firmware, or wait %u seconds.", READING_SECONDS);
    console_show();
    keyboard_wait(clock_hz(loader), READING_SECONDS);
}

/* Nothing about this boot is unknown to the next one. */
static void release(struct loader *loader)
{
    boot_record_set_stage(loader, POST_MORTEM_ENDED);
    list_close(loader);
    pages_free_all(&loader->pages);
}

EFI_STATUS stop_loader(struct loader *loader)
{
    char report[800];
    if (last_failure.error == LOADER_OK) {
        release(loader);
        return EFI_SUCCESS;
    }
    error_format_report(&last_failure, report, sizeof(report));

    if (firmware_is_sealed()) {
        arch_interrupts_disable();
        post_exit_write(&loader->post_exit, report);
        post_exit_keep(&loader->post_exit, POST_MORTEM_LOADER, (uint32_t)last_failure.error,
                       report);
        post_exit_stop(&loader->post_exit, DEBUG_EXIT_LOADER_FAULT);
    }
    screen_restore(&loader->screen);
    serial_prepare(loader);
    console_show_error(report, &loader->serial);
    release(loader);
    if (!command_line_has(loader->config.command_line, "unattended"))
        wait_for_reader(loader);
    return error_exit_status(&last_failure);
}
