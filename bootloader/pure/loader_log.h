/*
 * loader_log.h - keep the loader's log lines in memory for the kernel.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_LOADER_LOG_H
#define BOOTLOADER_PURE_LOADER_LOG_H

#include <stdarg.h>
#include <stddef.h>

/* 16 KiB: a boot writes about 1 KiB. The rest is for a firmware map that causes many warnings. */
#define LOADER_LOG_CAPACITY_BYTES (16u * 1024)

/* Begins as zeros. */
struct loader_log {
    size_t size_bytes;
    char text[LOADER_LOG_CAPACITY_BYTES];
};

/* Append text unchanged. Text that does not fit is dropped, and the log ends in "(log full)". */
void loader_log_append(struct loader_log *log, const char *text, size_t size_bytes);

/* Append one line: the prefix, the text, a newline. A line is cut after 399 characters. */
void loader_log_line(struct loader_log *log, const char *prefix, const char *format,
                     va_list arguments) __attribute__((format(printf, 3, 0)));

#endif
