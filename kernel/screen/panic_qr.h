/*
 * panic_qr.h - the QR code on the screen of a panic, with the compressed report.
 *
 * A phone reads it from a machine without a serial port. The text in it is that of report_text.h.
 * Each module has at least two pixels.
 *
 * Pure: it allocates nothing, takes no lock, cannot panic, and reads no pixel.
 */
#ifndef KERNEL_SCREEN_PANIC_QR_H
#define KERNEL_SCREEN_PANIC_QR_H

#include <stdbool.h>

#include "kernel/screen/canvas.h"
#include "kernel/screen/qr_code.h"
#include "kernel/screen/report_text.h"

/* Working memory: 30 KiB, too much for a stack. */
struct panic_qr {
    struct report_text text;
    struct qr_code code;
};

/* Draw the report in the box of panic_layout.h, with a caption above it. Return false, and draw
 * nothing, if the screen has no box. Call it behind panic_layout_draw(). */
bool panic_qr_draw(const struct canvas *canvas, struct panic_qr *qr, const char *report,
                   size_t size_bytes);

#endif
