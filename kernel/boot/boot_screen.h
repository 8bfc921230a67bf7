/*
 * boot_screen.h - the framebuffer as a place for the log. For kernel/boot/ only.
 */
#ifndef KERNEL_BOOT_BOOT_SCREEN_H
#define KERNEL_BOOT_BOOT_SCREEN_H

#include "kernel/kernel.h"

/* Show the log on the framebuffer of the handoff, or log a warning with the reason. With `quiet` on
 * the command line, show it only at a panic. Also prepare what a panic shows. Precondition:
 * kernel->view is filled. */
void boot_screen(struct kernel *kernel);

/* Show the log on this framebuffer. Return false if it has no space for a row of text.
 * Precondition: its fields were checked, and it is mapped (kernel/handoff/handoff_check.h). A panic
 * reads *framebuffer, which must stay valid. */
bool boot_screen_open(struct kernel *kernel, const struct handoff_framebuffer *framebuffer);

#endif
