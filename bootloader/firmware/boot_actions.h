/*
 * boot_actions.h - the firmware's setup, a reset, and power off.
 */
#ifndef BOOTLOADER_FIRMWARE_BOOT_ACTIONS_H
#define BOOTLOADER_FIRMWARE_BOOT_ACTIONS_H

#include "bootloader/firmware/firmware.h"

enum boot_action {
    BOOT_ACTION_SETUP, /* the firmware's setup, after a reset */
    BOOT_ACTION_REBOOT,
    BOOT_ACTION_POWER_OFF,
};

/* Return false if the firmware does not start its setup on request. */
bool boot_action_is_possible(enum boot_action action);

/* Run the action. It returns only if the firmware fails. Return its status: ResetSystem has none, and
 * then it is EFI_UNSUPPORTED. */
EFI_STATUS boot_action_try(enum boot_action action);

#endif
