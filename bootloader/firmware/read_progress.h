/*
 * read_progress.h - show once a second how far a long read is, and how fast.
 */
#ifndef BOOTLOADER_FIRMWARE_READ_PROGRESS_H
#define BOOTLOADER_FIRMWARE_READ_PROGRESS_H

#include "bootloader/firmware/console.h"

/* It begins as zeros: then nothing is shown. */
struct read_progress {
    uint64_t frequency_hz; /* of the clock; 0 if unknown */
    uint64_t begun_ticks;
    uint64_t shown_ticks; /* when the last line was shown, or the begin */
};

/* Begin to show something. The clock's frequency may have to be measured, which takes a millisecond. */
void read_progress_begin(struct read_progress *progress);

/* Show a line if the last one is a second old. Precondition: `total_bytes` is below 2^53. */
void read_progress_show(struct read_progress *progress, uint64_t done_bytes, uint64_t total_bytes);

/* End the line, if there is one. */
void read_progress_end(const struct read_progress *progress);

#endif
