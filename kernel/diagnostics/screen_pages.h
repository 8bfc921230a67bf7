/*
 * screen_pages.h - the two pages of the screen after [ready]: the overview, and the log with the
 * prompt.
 *
 * While the overview is shown, the log goes on in memory. A panic draws over both.
 *
 * Phase: [ready]. Concurrency: one user.
 */
#ifndef KERNEL_DIAGNOSTICS_SCREEN_PAGES_H
#define KERNEL_DIAGNOSTICS_SCREEN_PAGES_H

#include "kernel/kernel.h"

/* Draw the overview with the figures of this moment. Return NULL, or a sentence with the reason why
 * it cannot be drawn. Then the screen does not change. */
const char *screen_pages_show_overview(struct kernel *kernel);

/* Show the log, if the overview is shown. */
void screen_pages_show_log(struct kernel *kernel);

/* Show the other page. Without a screen do nothing. */
void screen_pages_switch(struct kernel *kernel);

#endif
