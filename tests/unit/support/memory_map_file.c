#define _DEFAULT_SOURCE /* scandir: this is a host program with the POSIX library */

#include "tests/unit/support/memory_map_file.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/address.h"

static _Noreturn void bad_file(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    abort();
}

static int e820_efi_type(const char *kind)
{
    static const struct {
        const char *kind;
        int efi_type;
    } KINDS[] = {{"usable", 7}, {"reserved", 0}, {"acpi", 9}, {"nvs", 10}};
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        if (strcmp(kind, KINDS[i].kind) == 0)
            return KINDS[i].efi_type;
    }
    return -1;
}

static int parse_row(const char *line, struct memory_map_descriptor *ret_row)
{
    struct memory_map_descriptor row = {0};
    if (sscanf(line, "%" SCNu32 " %" SCNx64 " %" SCNu64 " %" SCNx64, &row.type, &row.physical_start,
               &row.page_count, &row.attribute) == 4) {
        *ret_row = row;
        return 1;
    }
    char kind[16];
    uint64_t last;
    if (sscanf(line, "%15s %" SCNx64 " %" SCNx64, kind, &row.physical_start, &last) != 3 ||
        e820_efi_type(kind) < 0)
        return 0;
    row.type = (uint32_t)e820_efi_type(kind);
    row.page_count = (last + 1 - row.physical_start) / PAGE_SIZE_BYTES;
    row.attribute = 0xf;
    *ret_row = row;
    return 1;
}

size_t memory_map_file_read(const char *path, struct memory_map_descriptor *rows, size_t capacity)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        bad_file(path, "cannot be opened (run from the repository's root)");
    char line[1024];
    size_t count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (count == capacity)
            bad_file(path, "too many rows");
        if (!parse_row(line, &rows[count++]))
            bad_file(path, line);
    }
    fclose(file);
    return count;
}

static int is_map(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".txt") == 0;
}

size_t memory_map_file_each(void (*visit)(const char *path, void *context), void *context)
{
    struct dirent **entries;
    int count = scandir(MEMORY_MAP_DIRECTORY, &entries, is_map, alphasort);
    if (count < 0)
        bad_file(MEMORY_MAP_DIRECTORY, "cannot be read (run from the repository's root)");
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", MEMORY_MAP_DIRECTORY, entries[i]->d_name);
        visit(path, context);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}
