/*
 * panic_screen.h - the screen of a panic: a choice of the report's lines on a red screen, and all
 * of them in a QR code.
 *
 * The lines are kept while the log prints them (kernel/screen/panic_page.h). They are drawn at the
 * end (kernel/screen/panic_layout.h), so a fault while they are drawn costs no line of the serial
 * port. Nothing here allocates, takes a lock, or can panic.
 */
#ifndef KERNEL_CORE_PANIC_SCREEN_H
#define KERNEL_CORE_PANIC_SCREEN_H

#include "kernel/screen/panic_page.h"
#include "shared/handoff.h"

/* Show a panic on this framebuffer. Both pointers must stay valid for ever. */
void panic_screen_use(const struct handoff_framebuffer *framebuffer, void *pixels);

/* Keep the last lines of the log. Call it before the first line of the report. */
void panic_screen_take_log(void);

/* Keep a line of the report: `text` for the screen, and `line` for the QR code, as the serial port
 * has it. */
void panic_screen_add(enum panic_part part, const char *text, const char *line);

/* Draw the lines that were kept, and then the QR code. Without a framebuffer, or if it is too
 * small, do nothing: then the log is still on the screen. A fault in the code for the QR code calls
 * this function again: it draws only the text, since the log has written over it. A call from a
 * fault in the drawing of the text does nothing. */
void panic_screen_show(void);

#endif
