/*
 * actions.h - the actions of the menu that end the loader without a boot.
 */
#ifndef BOOTLOADER_ACTIONS_H
#define BOOTLOADER_ACTIONS_H

#include "bootloader/firmware/boot_actions.h"
#include "bootloader/loader.h"

/* Run the action. It returns only if the firmware fails, with a warning in the log. */
void boot_action_run(struct loader *loader, enum boot_action action);

#endif
