/*
 * log_stub.h - the kernel's log on the host: the last warning is kept for the test to read.
 */
#ifndef TESTS_UNIT_SUPPORT_LOG_STUB_H
#define TESTS_UNIT_SUPPORT_LOG_STUB_H

struct log_stub {
    unsigned warning_count;
    char last_warning[512]; /* "[stage] text" */
    unsigned hold_depth;    /* of interrupts.h at the last warning; not 0 if a lock was held */
};

extern struct log_stub log_stub;

#endif
