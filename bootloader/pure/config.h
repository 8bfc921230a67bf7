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
 *   temp_heap = 1M            the temporary heaps, with commas between them (config_heap.h)
 *   module    = \path         a file to hand over; may come again (config_module.h)
 *   module_name = text        of the last module; so are the next three
 *   module_cmdline = text
 *   module_align = 4K
 *   module_sha256 = digits
 *   output    = console       the screen that the kernel gets first: that of the firmware's
 *                             console, or a number from the loader's lines `output 1: …`
 *   resolution = keep         its resolution: `keep` the firmware's, `native` of the screen (from
 *                             its EDID), or a size such as 1920x1080; if it is absent, the nearest
 *   inject    = words         failures on purpose, with commas between them (inject.h)
 *   serial    = COM1          serial port of loader and kernel: COM1 to COM4, the number of its
 *                             first I/O port, or `off`; without this key: see serial_choice.h
 *   processors = list         only list the other processors; `start` starts them. The same word on
 *                             the command line is stronger.
 *   kernel_sha256 = digits    refuse a kernel with another SHA-256
 *   tpm       = demand        measure into a TPM 2.0: `on` warns without one, `demand` stops, `off`
 *                             does not; without this key: measure if there is one
 *   post_mortem = nvram       keep the boot record in an EFI variable, too; `ram`, the default:
 *                             only in RAM. The same word on the command line is stronger.
 *   kaslr     = on            a static PIE gets a random address; `off`: it gets its link address
 *   symbols   = off           `on`: hand over the kernel's symbol table. For both keys, the same
 *                             word on the command line is stronger.
 *   title     = text          of the entry in the menu
 *   efi       = \app.efi      an EFI application that is started instead of a kernel
 *
 * A line `entry = ID` begins an entry (entries.h). These keys are for the whole file, and stand
 * before the first entry:
 *
 *   timeout   = 5             seconds until the default entry starts; 0: without the menu; `menu`:
 *                             never
 *   default   = ID            the entry that starts if nobody chooses
 *   remember_last = on        without `default`, the entry that was started last
 *   load_options = on         the program that starts the loader may give a command line; `off`: not
 *
 * Pure: bytes in, struct out; no allocation, no firmware. Fuzzed by tests/fuzz/fuzz_config.c.
 */
#ifndef BOOTLOADER_PURE_CONFIG_H
#define BOOTLOADER_PURE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/config_heap.h"
#include "bootloader/pure/config_module.h"
#include "bootloader/pure/inject.h"
#include "bootloader/pure/integrity_rules.h"
#include "bootloader/pure/screen_mode.h"
#include "bootloader/pure/serial_choice.h"
#include "shared/text/piece.h"

#define CONFIG_PATH_CAPACITY         256          /* 255 characters and a NUL */
#define CONFIG_COMMAND_LINE_CAPACITY 1024         /* 1023 characters and a NUL */
#define CONFIG_LINE_LIMIT            1200         /* bytes; fits the longest legal cmdline line */
#define CONFIG_FILE_LIMIT_BYTES      (64u * 1024) /* refused above, before it is read */
#define CONFIG_OUTPUT_LIMIT          64
#define CONFIG_ID_CAPACITY           64 /* 63 characters and a NUL */
#define CONFIG_TITLE_CAPACITY                                                                      \
    128                         /* bytes of UTF-8 and a NUL; the rest of a longer one is cut off */
#define CONFIG_KEY_CAPACITY  20 /* of a key in a report */
#define CONFIG_TIMEOUT_LIMIT 3600
#define CONFIG_TIMEOUT_NEVER UINT32_MAX /* timeout = menu */

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
    CONFIG_BAD_PROCESSORS,
    CONFIG_OPEN_QUOTE, /* in the command line: text appended later would change its words */
    CONFIG_BAD_TIMEOUT,
    CONFIG_BAD_SWITCH,
    CONFIG_BAD_ID,
    CONFIG_DUPLICATE_ID,
    CONFIG_KERNEL_AND_EFI,
    CONFIG_GLOBAL_KEY, /* in an entry */
    CONFIG_BAD_HEAP_PLACE,
    CONFIG_TOO_MANY_HEAPS,
    CONFIG_NO_MODULE, /* a key of a module before the first module */
    CONFIG_TOO_MANY_MODULES,
    CONFIG_MODULE_TEXTS_TOO_LONG,
    CONFIG_BAD_ALIGNMENT,
    CONFIG_BAD_SHA256,
    CONFIG_BAD_TPM,
    CONFIG_UNREAD, /* the file of an entry: struct entry has the loader's error, too */
};

enum config_resolution {
    CONFIG_RESOLUTION_KEEP = 0,
    CONFIG_RESOLUTION_NATIVE,
    CONFIG_RESOLUTION_SIZE, /* resolution_size */
};

struct config {
    char kernel_path[CONFIG_PATH_CAPACITY]; /* ASCII, '\\' as separator, begins with '\\' */
    char command_line[CONFIG_COMMAND_LINE_CAPACITY];
    struct config_heaps temp_heaps;
    struct config_modules modules;
    struct inject inject;
    unsigned output_number; /* from 1 on; 0 for that of the firmware's console */
    enum config_resolution resolution;
    struct screen_size resolution_size; /* both 0 unless it is CONFIG_RESOLUTION_SIZE */
    struct serial_wish serial;
    bool keeps_record_in_nvram;          /* post_mortem = nvram */
    char title[CONFIG_TITLE_CAPACITY];   /* UTF-8; empty without one */
    char efi_path[CONFIG_PATH_CAPACITY]; /* empty: a kernel is loaded */
    uint32_t timeout_seconds;            /* up to CONFIG_TIMEOUT_LIMIT, or CONFIG_TIMEOUT_NEVER */
    char default_id[CONFIG_ID_CAPACITY]; /* empty without one */
    bool remembers_last;
    bool ignores_load_options; /* load_options = off */
    bool starts_processors;    /* processors = start */
    bool has_kernel_sha256;
    struct sha256 kernel_sha256;
    enum tpm_wish tpm;
    bool has_fixed_base;         /* kaslr = off */
    bool hands_over_symbols;     /* symbols = on */
    unsigned unknown_key_count;  /* lines with an unknown key: ignored, and the caller warns */
    unsigned first_unknown_line; /* 1-based; 0 if none */
};

/* Set the default values, which hold without a file. */
void config_set_defaults(struct config *config);

/* The place of an error. */
struct config_wrong {
    unsigned line;                 /* 1-based; 0 if the error has no line */
    char key[CONFIG_KEY_CAPACITY]; /* printable ASCII; empty if the line has no key */
};

/* Parse `size_bytes` bytes at `text`, a file without entries, over the defaults. On failure
 * *ret_config has the defaults, and *ret_line is the number of the wrong line (0 if the error has no
 * line). On success *ret_line is 0. */
enum config_status config_parse(const char *text, size_t size_bytes, struct config *ret_config,
                                unsigned *ret_line) __attribute__((warn_unused_result));

/* Parse lines over the values in *config.
 *   first_line  the number of the first line
 *   is_entry    the lines belong to an entry
 * On failure *ret_wrong is the place, and the content of *config is undefined. */
enum config_status config_parse_lines(struct piece lines, unsigned first_line, bool is_entry,
                                      struct config *config, struct config_wrong *ret_wrong)
    __attribute__((warn_unused_result));

/* Let the text begin behind a byte-order mark. */
void config_skip_mark(struct piece *text);

/* Split a line at its '=', without the blanks around both parts. Return false for a comment, and for
 * a line without a '='. */
bool config_split_line(struct piece line, struct piece *ret_key, struct piece *ret_value);

/* Return whether this is the ID of an entry: 1 to 63 characters of a-z, A-Z, 0-9, '.', '_', '-'. */
bool config_is_id(struct piece text);
/* Return the state of a switch that is a key and a word of the command line: the word is stronger.
 * `key_is_on` is the state of the key. */
bool config_switch_setting(const struct config *config, const char *word, bool key_is_on);

/* Return the error in a constant English sentence. Never NULL. */
const char *config_status_text(enum config_status status);

/* Write the file, the place, and the sentence: `FILE, line 3, key timeout: …`. Longer text is cut. */
void config_describe_wrong(const char *folder, const char *file, enum config_status status,
                           const struct config_wrong *wrong, char *text, size_t capacity_bytes);

#endif
