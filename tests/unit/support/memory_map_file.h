/*
 * memory_map_file.h - read a memory map that was taken from a real machine
 * (tests/data/memory-maps).
 *
 * A line is `type base pages attr` (EFI type, hex base, decimal pages, hex attributes) or, where
 * only the E820 view is known, `usable|reserved|acpi|nvs base end-inclusive`. '#' begins a comment.
 */
#ifndef TESTS_UNIT_SUPPORT_MEMORY_MAP_FILE_H
#define TESTS_UNIT_SUPPORT_MEMORY_MAP_FILE_H

#include <stddef.h>

#include "bootloader/pure/memory_map.h"

#define MEMORY_MAP_DIRECTORY "tests/data/memory-maps"

/* Read at most `capacity` rows, and return the number of rows in the file. Abort if the file is
 * missing, too long or not in this form. The path is relative to the repository's root. */
size_t memory_map_file_read(const char *path, struct memory_map_descriptor *rows, size_t capacity);

/* Call `visit` with the path of every map in MEMORY_MAP_DIRECTORY, in order of name. Return the
 * number of maps. */
size_t memory_map_file_each(void (*visit)(const char *path, void *context), void *context);

#endif
