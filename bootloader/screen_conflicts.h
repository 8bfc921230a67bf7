/*
 * screen_conflicts.h - leave out the screens whose pixels would overwrite memory in use.
 *
 * The firmware states where the pixels are. If that is in a block of the loader, in memory of the
 * firmware that lives on, or in the stack or the page tables in force, the address is wrong, and every text on that screen would destroy data. The
 * boot goes on with the other screens, or with the serial port only.
 */
#ifndef BOOTLOADER_SCREEN_CONFLICTS_H
#define BOOTLOADER_SCREEN_CONFLICTS_H

#include "bootloader/loader.h"

/* Drop these framebuffers, each with a warning. Write whether there was one: then the regions are
 * wrong. Precondition: the regions and the claims are of the same conversion. Failures: KERNEL_DEMAND
 * (a note demands a screen, and none is left); NO_OUTPUT (none is left, and no serial port answers). */
bool screen_conflicts_drop(struct loader *loader, bool *ret_was_dropped);

#endif
