/*
 * report_text.h - a panic's report as a short text, which a person can paste from a phone.
 *
 *   HANDOFF-PANIC-1:6BF…
 *
 * Behind the prefix are the letters of base45.h. Their bytes are a zlib stream (RFC 1950): a header
 * of two bytes, the report compressed by deflate.h, and the Adler-32 checksum of the report. The
 * number in the prefix is the version of this format. scripts/symbolize.sh reads the text, and so
 * does any program for base45 and zlib.
 *
 * Pure. All state is memory of the caller.
 */
#ifndef KERNEL_SCREEN_REPORT_TEXT_H
#define KERNEL_SCREEN_REPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/screen/base45.h"
#include "kernel/screen/deflate.h"

#define REPORT_TEXT_PREFIX "HANDOFF-PANIC-1:"
/* The longest text that a QR code can hold (qr_shape.h). */
#define REPORT_TEXT_CAPACITY     4296
#define REPORT_TEXT_STREAM_BYTES ((REPORT_TEXT_CAPACITY - 16) / 3 * 2)

struct report_text {
    struct deflate deflate;                   /* working memory */
    uint8_t stream[REPORT_TEXT_STREAM_BYTES]; /* working memory */
    char text[REPORT_TEXT_CAPACITY];
    size_t length;
    size_t report_size_bytes; /* of the report that the text contains */
};

/* Write the text of a report, with at most `length_limit` characters. If the whole report does not
 * fit, its last lines are left out. A report of more than DEFLATE_INPUT_LIMIT_BYTES is cut there,
 * too. The length is 0 if not even one line fits. */
void report_text_write(struct report_text *ret_text, const char *report, size_t size_bytes,
                       size_t length_limit);

#endif
