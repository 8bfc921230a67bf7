/*
 * config_module.h - the modules that handoff.conf names: files that the loader hands over.
 *
 *   module         = \path   begins a module, and may come again
 *   module_name    = text     its name for the kernel; else the name of the file
 *   module_cmdline = text     words for its user
 *   module_align   = 4K       or 2M
 *   module_sha256  = digits   refuse a file with another SHA-256
 *
 * The last four belong to the last `module` above them. Two modules may have one name. Pure.
 */
#ifndef BOOTLOADER_PURE_CONFIG_MODULE_H
#define BOOTLOADER_PURE_CONFIG_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/pure/sha256.h"

#define CONFIG_MODULE_LIMIT         32
#define CONFIG_MODULE_TEXT_CAPACITY 4096

/* The texts are numbers: their places in `texts`. */
struct config_module {
    uint16_t path; /* ASCII, '\' as separator, begins with '\' */
    uint16_t name; /* printable ASCII */
    uint16_t command_line;
    uint32_t alignment_bytes; /* 4 KiB or 2 MiB */
    bool has_sha256;
    struct sha256 sha256; /* that the file must have */
};

struct config_modules {
    unsigned count;
    unsigned text_size_bytes; /* of the texts in use, with a NUL behind each */
    struct config_module list[CONFIG_MODULE_LIMIT];
    char texts[CONFIG_MODULE_TEXT_CAPACITY]; /* the first is empty */
};

#endif
