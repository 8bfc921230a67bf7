/*
 * config.h - parse handoff.conf, the user's settings for the loader.
 *
 * The text has one `key = value` per line. Blank lines and lines that begin with '#' are ignored.
 * Line ends are LF or CRLF. A UTF-8 byte-order mark and a missing final newline are accepted. A
 * value runs to the end of the line, and blanks at both ends are removed. A value that begins with
 * a double quote must end with one. It keeps its blanks, and `""` inside means one quote. So `"""a
 * b"" c"` is the value `"a b" c`. Keys:
 *
 *   kernel    = \kernel.elf   path on the volume that the loader was started from; '/' works too
 *   cmdline   = text          handed to the kernel as it is; each double quote in it is closed
 *   temp_heap = 1M            size of the temporary heap in bytes, or with suffix K, M or G;
 *                             0 hands over none; rounded up to whole pages
 *   output    = console       the screen that the kernel gets first: that of the firmware's
 *                             console, or a number from the loader's lines `output 1: …`
 *   resolution = keep         its resolution: `keep` the firmware's, `native` of the screen (from
 *                             its EDID), or a size such as 1920x1080; if it is absent, the nearest
 *   inject    = words         failures on purpose, with commas between them (inject.h)
 *   serial    = COM1          serial port of loader and kernel: COM1 to COM4, the number of its
 *                             first I/O port, or `off`; without this key: see serial_choice.h
 *   post_mortem = nvram       keep the boot record in an EFI variable, too; `ram`, the default:
 *                             only in RAM. The same word on the command line is stronger.
 *   kaslr     = on            a static PIE gets a random address; `off`: it gets its link address
 *   symbols   = off           `on`: hand over the kernel's symbol table. For both keys, the same
 *                             word on the command line is stronger.
 *
 * Pure: bytes in, struct out; no allocation, no firmware. Fuzzed by tests/fuzz/fuzz_config.c.
 */
#ifndef BOOTLOADER_PURE_CONFIG_H
#define BOOTLOADER_PURE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/inject.h"
#include "bootloader/pure/screen_mode.h"
#include "bootloader/pure/serial_choice.h"

#define CONFIG_PATH_CAPACITY         256          /* 255 characters and a NUL */
#define CONFIG_COMMAND_LINE_CAPACITY 1024         /* 1023 characters and a NUL */
#define CONFIG_LINE_LIMIT            1200         /* bytes; fits the longest legal cmdline line */
#define CONFIG_FILE_LIMIT_BYTES      (64u * 1024) /* refused above, before it is read */
#define CONFIG_TEMP_HEAP_DEFAULT     (UINT64_C(1024) * 1024)
/* 16 GiB: a larger first heap is assumed to be a typing error. */
#define CONFIG_TEMP_HEAP_LIMIT (UINT64_C(16) * 1024 * 1024 * 1024)
#define CONFIG_OUTPUT_LIMIT    64

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
    CONFIG_BAD_OUTPUT,     /* neither `console` nor a number from 1 to CONFIG_OUTPUT_LIMIT */
    CONFIG_BAD_RESOLUTION, /* neither `keep` nor `native` nor a size up to 65535x65535 */
    CONFIG_BAD_QUOTES,
    CONFIG_BAD_INJECT,
    CONFIG_BAD_SERIAL_PORT,
    CONFIG_BAD_POST_MORTEM,
    CONFIG_BAD_SWITCH, /* neither `on` nor `off` */
    CONFIG_OPEN_QUOTE, /* in the command line: text appended later would change its words */
};

enum config_resolution {
    CONFIG_RESOLUTION_KEEP = 0,
    CONFIG_RESOLUTION_NATIVE,
    CONFIG_RESOLUTION_SIZE, /* resolution_size */
};

struct config {
    char kernel_path[CONFIG_PATH_CAPACITY]; /* ASCII, '\\' as separator, begins with '\\' */
    char command_line[CONFIG_COMMAND_LINE_CAPACITY];
    uint64_t temp_heap_size_bytes; /* a multiple of 4096; 0 for none */
    struct inject inject;
    unsigned output_number; /* from 1 on; 0 for that of the firmware's console */
    enum config_resolution resolution;
    struct screen_size resolution_size; /* both 0 unless it is CONFIG_RESOLUTION_SIZE */
    struct serial_wish serial;
    bool keeps_record_in_nvram;  /* post_mortem = nvram */
    bool has_fixed_base;         /* kaslr = off */
    bool hands_over_symbols;     /* symbols = on */
    unsigned unknown_key_count;  /* lines with an unknown key: ignored, and the caller warns */
    unsigned first_unknown_line; /* 1-based; 0 if none */
};

/* Set the default values, which hold without a file. */
void config_set_defaults(struct config *config);

/* Parse `size_bytes` bytes at `text` over the defaults. On failure *ret_config is not written, and
 * *ret_line is the 1-based number of the wrong line (0 if the error has no line). On success
 * *ret_line is 0. */
enum config_status config_parse(const char *text, size_t size_bytes, struct config *ret_config,
                                unsigned *ret_line) __attribute__((warn_unused_result));

/* Return the state of a switch that is a key and a word of the command line: the word is stronger.
 * `key_is_on` is the state of the key. */
bool config_switch_setting(const struct config *config, const char *word, bool key_is_on);

/* Return the error in a constant English sentence. Never NULL. */
const char *config_status_text(enum config_status status);

#endif
