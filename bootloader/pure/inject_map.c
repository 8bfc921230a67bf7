/*
 * inject_map.c - the memory maps of bad firmware, made from a good one.
 */
#include "bootloader/pure/inject.h"

#include "bootloader/pure/memory_map.h"
#include "shared/address.h"
#include "shared/memory.h"

/* UEFI 2.10, section 7.2.1, table 7-6. */
#define EFI_TYPE_RESERVED     0
#define EFI_TYPE_CONVENTIONAL 7

#define REPEATED_ROWS  4
#define MISALIGN_BYTES UINT64_C(0x123)

/* Above the addresses of every CPU. So no kernel mistakes it for RAM. */
#define HIGH_ADDRESS MEMORY_MAP_PHYSICAL_LIMIT_BYTES
#define HIGH_PAGES   UINT64_C(256)

static struct memory_map_descriptor row_read(const struct inject_map *map, uint64_t index)
{
    struct memory_map_descriptor row;
    memcpy(&row, (const uint8_t *)map->rows + index * map->stride_bytes, sizeof(row));
    return row;
}

static void row_write(const struct inject_map *map, uint64_t index,
                      const struct memory_map_descriptor *row)
{
    memcpy((uint8_t *)map->rows + index * map->stride_bytes, row, sizeof(*row));
}

static uint64_t row_count(const struct inject_map *map)
{
    return map->size_bytes / map->stride_bytes;
}

static void row_add(struct inject_map *map, const struct memory_map_descriptor *row)
{
    if (map->capacity_bytes - map->size_bytes < map->stride_bytes)
        return;
    map->size_bytes += map->stride_bytes;
    row_write(map, row_count(map) - 1, row);
}

/* The rows get the opposite order. */
static void shuffle(const struct inject_map *map)
{
    uint64_t count = row_count(map);
    for (uint64_t i = 0; i < count / 2; i++) {
        struct memory_map_descriptor first = row_read(map, i);
        struct memory_map_descriptor second = row_read(map, count - 1 - i);
        row_write(map, i, &second);
        row_write(map, count - 1 - i, &first);
    }
}

/* Return the index of the largest row of free RAM, or the number of rows. The loader's blocks have
 * other rows, so a change of this one leaves them valid. */
static uint64_t largest_free_row(const struct inject_map *map)
{
    uint64_t largest = row_count(map);
    uint64_t largest_pages = 0;
    for (uint64_t i = 0; i < row_count(map); i++) {
        struct memory_map_descriptor row = row_read(map, i);
        if (row.type == EFI_TYPE_CONVENTIONAL && row.page_count > largest_pages) {
            largest = i;
            largest_pages = row.page_count;
        }
    }
    return largest;
}

/* A reserved row covers the second half of the largest free row. */
static void overlap(struct inject_map *map)
{
    uint64_t index = largest_free_row(map);
    if (index == row_count(map))
        return;
    struct memory_map_descriptor row = row_read(map, index);
    uint64_t kept_pages = row.page_count / 2;
    row.type = EFI_TYPE_RESERVED;
    row.physical_start += kept_pages * PAGE_SIZE_BYTES;
    row.page_count -= kept_pages;
    row_add(map, &row);
}

static void misalign(const struct inject_map *map)
{
    uint64_t index = largest_free_row(map);
    if (index == row_count(map))
        return;
    struct memory_map_descriptor row = row_read(map, index);
    row.physical_start += MISALIGN_BYTES;
    row_write(map, index, &row);
}

static void repeat(struct inject_map *map)
{
    uint64_t count = row_count(map);
    for (uint64_t i = 0; i < REPEATED_ROWS && i < count; i++) {
        struct memory_map_descriptor row = row_read(map, i);
        row_add(map, &row);
    }
}

static void add_high(struct inject_map *map)
{
    if (row_count(map) == 0)
        return;
    struct memory_map_descriptor row = row_read(map, 0);
    row.type = EFI_TYPE_CONVENTIONAL;
    row.physical_start = HIGH_ADDRESS;
    row.page_count = HIGH_PAGES;
    row_add(map, &row);
}

static void clear_attributes(const struct inject_map *map)
{
    for (uint64_t i = 0; i < row_count(map); i++) {
        struct memory_map_descriptor row = row_read(map, i);
        row.attribute = 0;
        row_write(map, i, &row);
    }
}

void inject_change_map(const struct inject *inject, struct inject_map *map)
{
    if (inject->numbers[INJECT_OVERLAP_MAP] != 0)
        overlap(map);
    if (inject->numbers[INJECT_MISALIGN_MAP] != 0)
        misalign(map);
    if (inject->numbers[INJECT_REPEAT_MAP] != 0)
        repeat(map);
    if (inject->numbers[INJECT_HIGH_MAP] != 0)
        add_high(map);
    if (inject->numbers[INJECT_CLEAR_ATTRIBUTES] != 0)
        clear_attributes(map);
    if (inject->numbers[INJECT_SHUFFLE_MAP] != 0)
        shuffle(map);
}
