/*
 * log_stub.h - the kernel's log on the host: the last warning and the text of all other lines are
 * kept for the test to read.
 */
#ifndef TESTS_UNIT_SUPPORT_LOG_STUB_H
#define TESTS_UNIT_SUPPORT_LOG_STUB_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_STUB_CAPACITY_BYTES 65536

struct log_stub {
    char text[LOG_STUB_CAPACITY_BYTES]; /* NUL-terminated; what does not fit is cut */
    size_t length;
    unsigned note_count;
    unsigned replay_count;
    unsigned open_count; /* of log_open_kept_sink() */
    bool is_transient;   /* by log_keep() */
    bool is_plain;       /* by log_plain(), and how often it became true */
    unsigned plain_count;
    unsigned warning_count;
    char last_warning[512]; /* "[stage] text" */
    unsigned hold_depth;    /* of interrupts.h at the last warning; not 0 if a lock was held */
};

extern struct log_stub log_stub;

/* Forget the text. */
void log_stub_clear(void);

#endif
