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

/* Firmware may give rows that are not aligned. */
typedef struct memory_map_descriptor unaligned_row __attribute__((aligned(1)));

static unaligned_row *row_at(const struct inject_map *map, uint64_t index)
{
    return (unaligned_row *)((uint8_t *)map->rows + index * map->stride_bytes);
}

static uint64_t row_count(const struct inject_map *map)
{
    return map->size_bytes / map->stride_bytes;
}

/* Add a copy of a row. Return NULL if there is no room. */
static unaligned_row *row_add(struct inject_map *map, const unaligned_row *row)
{
    if (map->capacity_bytes - map->size_bytes < map->stride_bytes)
        return NULL;
    unaligned_row *added = (unaligned_row *)((uint8_t *)map->rows + map->size_bytes);
    map->size_bytes += map->stride_bytes;
    memcpy(added, row, sizeof(*added));
    return added;
}

/* The rows get the opposite order. */
static void shuffle(const struct inject_map *map)
{
    uint64_t count = row_count(map);
    for (uint64_t i = 0; i < count / 2; i++) {
        unaligned_row *first = row_at(map, i);
        unaligned_row *second = row_at(map, count - 1 - i);
        struct memory_map_descriptor kept;
        memcpy(&kept, first, sizeof(kept));
        memcpy(first, second, sizeof(kept));
        memcpy(second, &kept, sizeof(kept));
    }
}

/* Return the largest row of free RAM, or NULL. The loader's blocks have other rows, so a change of
 * this one leaves them valid. */
static unaligned_row *largest_free_row(const struct inject_map *map)
{
    unaligned_row *largest = NULL;
    for (uint64_t i = 0; i < row_count(map); i++) {
        unaligned_row *row = row_at(map, i);
        if (row->type == EFI_TYPE_CONVENTIONAL &&
            row->page_count > (largest == NULL ? 0 : largest->page_count))
            largest = row;
    }
    return largest;
}

/* A reserved row covers the second half of the largest free row. */
static void overlap(struct inject_map *map)
{
    unaligned_row *free = largest_free_row(map);
    unaligned_row *row = free == NULL ? NULL : row_add(map, free);
    if (row == NULL)
        return;
    uint64_t kept_pages = row->page_count / 2;
    row->type = EFI_TYPE_RESERVED;
    row->physical_start += kept_pages * PAGE_SIZE_BYTES;
    row->page_count -= kept_pages;
}

static void misalign(const struct inject_map *map)
{
    unaligned_row *row = largest_free_row(map);
    if (row != NULL)
        row->physical_start += MISALIGN_BYTES;
}

static void repeat(struct inject_map *map)
{
    uint64_t count = row_count(map);
    for (uint64_t i = 0; i < REPEATED_ROWS && i < count; i++)
        (void)row_add(map, row_at(map, i));
}

static void add_high(struct inject_map *map)
{
    unaligned_row *row = map->size_bytes == 0 ? NULL : row_add(map, row_at(map, 0));
    if (row == NULL)
        return;
    row->type = EFI_TYPE_CONVENTIONAL;
    row->physical_start = HIGH_ADDRESS;
    row->page_count = HIGH_PAGES;
}

static void clear_attributes(const struct inject_map *map)
{
    for (uint64_t i = 0; i < row_count(map); i++)
        row_at(map, i)->attribute = 0;
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
