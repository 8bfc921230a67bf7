/*
 * config.h - handoff.conf: the user's settings for the loader.
 *
 * The text has one `key = value` a line; blank lines and lines that begin with '#' are ignored.
 * LF and CRLF ends, a UTF-8 byte-order mark and a missing final newline are accepted. Values run
 * to the end of the line, blanks at both ends removed. A value that begins with a double quote is
 * enclosed in them: it keeps its blanks, and `""` inside stands for one quote, so `"""a b"" c"` is
 * the value `"a b" c`. Keys:
 *
 *   kernel    = \kernel.elf   path on the volume that the loader was started from; '/' works too
 *   cmdline   = text          handed to the kernel as it is; each double quote in it is closed
 *   temp_heap = 1M            size of the temporary heap in bytes, or with suffix K, M or G;
 *                             0 hands over none; rounded up to whole pages
 *
 * Pure: bytes in, struct out; no allocation, no firmware. Fuzzed by tests/fuzz/fuzz_config.c.
 */
#ifndef BOOTLOADER_PURE_CONFIG_H
#define BOOTLOADER_PURE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH_CAPACITY         256          /* 255 characters and a NUL */
#define CONFIG_COMMAND_LINE_CAPACITY 1024         /* 1023 characters and a NUL */
#define CONFIG_LINE_LIMIT            1200         /* bytes; fits the longest legal cmdline line */
#define CONFIG_FILE_LIMIT_BYTES      (64u * 1024) /* refused above, before it is read */
#define CONFIG_TEMP_HEAP_DEFAULT     (UINT64_C(1024) * 1024)
/* 16 GiB: a kernel's first heap beyond that is a typing error, not a wish. */
#define CONFIG_TEMP_HEAP_LIMIT (UINT64_C(16) * 1024 * 1024 * 1024)

enum config_status {
    CONFIG_OK = 0,
    CONFIG_FILE_TOO_LARGE,
    CONFIG_NUL_BYTE,
    CONFIG_LINE_TOO_LONG,
    CONFIG_NO_EQUALS_SIGN,
    CONFIG_DUPLICATE_KEY,
    CONFIG_BAD_NUMBER, /* not a number, negative, overflow, or trailing junk */
    CONFIG_NUMBER_TOO_LARGE,
    CONFIG_EMPTY_VALUE, /* kernel = (nothing) */
    CONFIG_PATH_TOO_LONG,
    CONFIG_PATH_ESCAPES, /* contains ".." */
    CONFIG_PATH_NOT_ASCII,
    CONFIG_COMMAND_LINE_TOO_LONG,
    CONFIG_BAD_QUOTES,
    CONFIG_OPEN_QUOTE, /* in the command line, whose words would depend on what is appended */
};

struct config {
    char kernel_path[CONFIG_PATH_CAPACITY]; /* ASCII, '\\' as separator, begins with '\\' */
    char command_line[CONFIG_COMMAND_LINE_CAPACITY];
    uint64_t temp_heap_size_bytes; /* a multiple of 4096; 0 for none */
    unsigned unknown_key_count;  /* lines with a key that is not known: ignored, to be warned of */
    unsigned first_unknown_line; /* 1-based; 0 if none */
};

/* The values that hold without a file. */
void config_set_defaults(struct config *config);

/* Parse `size_bytes` bytes at `text` over the defaults. On failure *ret_config is not written and
 * *ret_line holds the 1-based number of the line at fault (0 where no line is). On success
 * *ret_line is 0. */
enum config_status config_parse(const char *text, size_t size_bytes, struct config *ret_config,
                                unsigned *ret_line) __attribute__((warn_unused_result));

/* A constant English sentence that says why the file was refused. Never NULL. */
const char *config_status_text(enum config_status status);

#endif
