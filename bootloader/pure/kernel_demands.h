/*
 * kernel_demands.h - find the demand of a kernel that cannot be met.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_KERNEL_DEMANDS_H
#define BOOTLOADER_PURE_KERNEL_DEMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf_note.h"

/* The largest stack that the loader gives. Its window in the first tables has more room. */
#define KERNEL_DEMANDS_STACK_LIMIT_BYTES (UINT64_C(16) * 1024 * 1024)
/* The smallest limit of a direct map. Firmware keeps its tables and framebuffer below 4 GiB. */
#define KERNEL_DEMANDS_DIRECT_MAP_MINIMUM (UINT64_C(4) * 1024 * 1024 * 1024)
/* Enough for the sentences. */
#define KERNEL_DEMANDS_TEXT_CAPACITY_BYTES 200

/* Return true if this loader can meet the demands on some machine. Otherwise write the demand that
 * it cannot meet to `text`. */
bool kernel_demands_fit_loader(const struct kernel_demands *demands, char *text,
                               size_t capacity_bytes);

/* The properties of the machine. */
struct kernel_supplies {
    uint64_t levels; /* HANDOFF_LEVELS_* that the CPU can run with */
    bool has_screen;
    bool has_no_execute;
};

/* The same for this machine. Precondition: kernel_demands_fit_loader() returned true. */
bool kernel_demands_fit_machine(const struct kernel_demands *demands,
                                const struct kernel_supplies *supplies, char *text,
                                size_t capacity_bytes);

#endif
