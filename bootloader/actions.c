#include "bootloader/actions.h"

#include "bootloader/boot_record.h"

/* The next boot must not report that this one did not end. */
void boot_action_run(struct loader *loader, enum boot_action action)
{
    boot_record_set_stage(loader, POST_MORTEM_ENDED);
    EFI_STATUS status = boot_action_try(action);
    boot_record_set_stage(loader, POST_MORTEM_LOADER);
    console_warn("the firmware does not do this: %s", error_status_name(status));
}
