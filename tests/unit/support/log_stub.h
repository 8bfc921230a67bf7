/*
 * log_stub.h - the kernel's log on the host: the last warning is kept for the test to read.
 */
#ifndef TESTS_UNIT_SUPPORT_LOG_STUB_H
#define TESTS_UNIT_SUPPORT_LOG_STUB_H

struct log_stub {
    unsigned warning_count;
    char last_warning[512]; /* "[stage] text" */
    unsigned hold_depth; /* interrupts.h, as the last warning was logged: with a lock held, not 0 */
};

extern struct log_stub log_stub;

#endif
