#include "lessons/memory_maps.h"

#include <stddef.h>

#define TYPE_OF_A_VENDOR UINT32_C(0x70000001)

static const struct {
    const char *name;
    bool usable;
} types[] = {
    [EFI_TYPE_RESERVED] = {"RESERVED", false},
    [EFI_TYPE_LOADER_CODE] = {"LOADER_CODE", false},
    [EFI_TYPE_LOADER_DATA] = {"LOADER_DATA", false},
    [EFI_TYPE_BOOT_SERVICES_CODE] = {"BOOT_SERVICES_CODE", true},
    [EFI_TYPE_BOOT_SERVICES_DATA] = {"BOOT_SERVICES_DATA", true},
    [EFI_TYPE_RUNTIME_SERVICES_CODE] = {"RUNTIME_SERVICES_CODE", false},
    [EFI_TYPE_RUNTIME_SERVICES_DATA] = {"RUNTIME_SERVICES_DATA", false},
    [EFI_TYPE_CONVENTIONAL] = {"CONVENTIONAL", true},
    [EFI_TYPE_UNUSABLE] = {"UNUSABLE", false},
    [EFI_TYPE_ACPI_RECLAIM] = {"ACPI_RECLAIM", false},
    [EFI_TYPE_ACPI_NVS] = {"ACPI_NVS", false},
    [EFI_TYPE_MEMORY_MAPPED_IO] = {"MEMORY_MAPPED_IO", false},
};

static const struct memory_map fixed_maps[MEMORY_MAP_FIXED_COUNT] = {
    {"one free row", 1, {{0x100000, 256, EFI_TYPE_CONVENTIONAL}}},
    {"boot services between free memory",
     3,
     {{0x100000, 256, EFI_TYPE_CONVENTIONAL},
      {0x200000, 64, EFI_TYPE_BOOT_SERVICES_DATA},
      {0x240000, 448, EFI_TYPE_CONVENTIONAL}}},
    {"owners, and a gap",
     6,
     {{0x1000, 159, EFI_TYPE_CONVENTIONAL},
      {0x100000, 512, EFI_TYPE_CONVENTIONAL},
      {0x300000, 256, EFI_TYPE_LOADER_DATA},
      {0x400000, 128, EFI_TYPE_BOOT_SERVICES_CODE},
      {0x480000, 352, EFI_TYPE_CONVENTIONAL},
      {0x5e0000, 32, EFI_TYPE_RUNTIME_SERVICES_DATA}}},
    {"nothing is usable",
     2,
     {{0x100000, 16, EFI_TYPE_RESERVED}, {0x110000, 16, EFI_TYPE_MEMORY_MAPPED_IO}}},
    {"rows without memory",
     5,
     {{0x0, 0, EFI_TYPE_RESERVED},
      {0x100000, 32, EFI_TYPE_CONVENTIONAL},
      {0x120000, 0, EFI_TYPE_RESERVED},
      {0x120000, 32, EFI_TYPE_BOOT_SERVICES_DATA},
      {0x150000, 48, EFI_TYPE_CONVENTIONAL}}},
    {"broken rows",
     4,
     {{0x100000, 16, EFI_TYPE_CONVENTIONAL},
      {0x200000, UINT64_C(0x10000000000020), EFI_TYPE_CONVENTIONAL},
      {0x300000, 64, EFI_TYPE_CONVENTIONAL},
      {UINT64_C(0xffffffffffff0000), 64, EFI_TYPE_CONVENTIONAL}}},
    {"no row at all", 0, {{0, 0, 0}}},
    /* Rows of the map that OVMF, a UEFI firmware, has for a machine of QEMU with 3 GiB. */
    {"a machine of QEMU with 3 GiB",
     16,
     {{0x0, 1, EFI_TYPE_BOOT_SERVICES_CODE},
      {0x1000, 159, EFI_TYPE_CONVENTIONAL},
      {0x100000, 1792, EFI_TYPE_CONVENTIONAL},
      {0x800000, 8, EFI_TYPE_ACPI_NVS},
      {0x808000, 3, EFI_TYPE_CONVENTIONAL},
      {0x80b000, 1, EFI_TYPE_ACPI_NVS},
      {0x80c000, 4, EFI_TYPE_CONVENTIONAL},
      {0x810000, 240, EFI_TYPE_ACPI_NVS},
      {0x900000, 3072, EFI_TYPE_BOOT_SERVICES_DATA},
      {0x1500000, 0x7a675, EFI_TYPE_CONVENTIONAL},
      {0x7bb75000, 32, EFI_TYPE_BOOT_SERVICES_DATA},
      {0x7bb95000, 0x215d, EFI_TYPE_CONVENTIONAL},
      {0x7dcf2000, 215, EFI_TYPE_LOADER_CODE},
      {0x7f5ed000, 256, EFI_TYPE_RUNTIME_SERVICES_CODE},
      {0xb0000000, 0x10000, EFI_TYPE_RESERVED},
      {0x100000000, 0x40000, EFI_TYPE_CONVENTIONAL}}},
    {"a server with 64 GiB",
     4,
     {{0x100000, 0x6ff00, EFI_TYPE_CONVENTIONAL},
      {0x70000000, 0x10000, EFI_TYPE_BOOT_SERVICES_DATA},
      {0x80000000, 0x80000, EFI_TYPE_RESERVED},
      {0x100000000, 0xf80000, EFI_TYPE_CONVENTIONAL}}},
};

bool memory_map_type_is_usable(uint32_t type)
{
    return type < sizeof types / sizeof types[0] && types[type].usable;
}

const char *memory_map_type_name(uint32_t type)
{
    return type < sizeof types / sizeof types[0] ? types[type].name : "unknown";
}

/* The numbers are the same in every run, so that a reader can repeat a mistake. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void make_random(unsigned index, struct memory_map *ret_map)
{
    static const uint32_t kinds[] = {7, 7, 7, 4, 3, 4, 2, 6, 0, TYPE_OF_A_VENDOR, 10, 9};
    uint64_t state = index;
    uint64_t start = PAGE_BYTES;
    ret_map->title = "made from random numbers";
    ret_map->row_count = 8 + next_random(&state) % (MEMORY_MAP_ROW_LIMIT - 7);
    for (uint64_t i = 0; i < ret_map->row_count; i++) {
        uint64_t page_count = 1 + next_random(&state) % 40000;
        if (next_random(&state) % 4 == 0)
            start += (1 + next_random(&state) % 300) * PAGE_BYTES;
        uint32_t type = kinds[next_random(&state) % (sizeof kinds / sizeof kinds[0])];
        ret_map->rows[i] = (struct memory_row){start, page_count, type};
        start += page_count * PAGE_BYTES;
    }
}

void memory_map_make(unsigned index, struct memory_map *ret_map)
{
    if (index < MEMORY_MAP_FIXED_COUNT)
        *ret_map = fixed_maps[index];
    else
        make_random(index, ret_map);
}

struct memory_row memory_map_stranger(void)
{
    return (struct memory_row){UINT64_C(0x123400000000), 0x5678, EFI_TYPE_CONVENTIONAL};
}

static bool is_broken(const struct memory_row *row)
{
    return row->page_count > (UINT64_MAX - row->start) / PAGE_BYTES;
}

static struct memory_row row_at(const struct memory_map *map, uint64_t index)
{
    return index < map->row_count ? map->rows[index] : memory_map_stranger();
}

/* Return the bytes of a row that count, for code with this mistake. */
static uint64_t row_bytes(const struct memory_row *row, enum map_mistake mistake)
{
    bool usable = mistake == MAP_ONLY_CONVENTIONAL ? row->type == EFI_TYPE_CONVENTIONAL
                                                   : memory_map_type_is_usable(row->type);
    bool counts_broken =
        mistake == MAP_COUNTS_BROKEN_ROWS ||
        (mistake == MAP_COUNTS_ROWS_THAT_WRAP && row->page_count <= UINT64_MAX / PAGE_BYTES);
    if ((!usable && mistake != MAP_EVERY_TYPE) || (is_broken(row) && !counts_broken))
        return 0;
    if (mistake == MAP_32_BIT_ROWS)
        return (uint32_t)(row->page_count * PAGE_BYTES);
    return row->page_count * PAGE_BYTES;
}

/* The first row, and one past the last row, at which code with this mistake looks. */
static uint64_t first_row(enum map_mistake mistake)
{
    return mistake == MAP_MISSES_FIRST_ROW ? 1 : 0;
}

static uint64_t row_limit(const struct memory_map *map, enum map_mistake mistake)
{
    uint64_t limit = map->row_count;
    if (mistake == MAP_READS_BEHIND)
        return limit + 1;
    if (mistake == MAP_MISSES_LAST_ROW)
        return limit == 0 ? 0 : limit - 1;
    for (uint64_t i = 0; i < map->row_count; i++)
        if ((mistake == MAP_STOPS_AT_EMPTY_ROW && map->rows[i].page_count == 0) ||
            (mistake == MAP_STOPS_AT_BROKEN_ROW && is_broken(&map->rows[i])))
            return i;
    return limit;
}

static uint64_t in_wrong_units(uint64_t size_bytes, enum map_mistake mistake)
{
    if (mistake == MAP_COUNTS_PAGES)
        return size_bytes / PAGE_BYTES;
    return mistake == MAP_32_BITS ? (uint32_t)size_bytes : size_bytes;
}

uint64_t memory_map_usable_bytes(const struct memory_map *map, enum map_mistake mistake)
{
    uint64_t sum_bytes = 0;
    for (uint64_t i = first_row(mistake); i < row_limit(map, mistake); i++) {
        struct memory_row row = row_at(map, i);
        sum_bytes += row_bytes(&row, mistake);
    }
    return in_wrong_units(sum_bytes, mistake);
}

/* A run that grows row by row. */
struct search {
    struct memory_run run;
    struct memory_run largest;
    bool row_between; /* a row that does not count came after the last one that did */
};

static bool joins(const struct search *search, const struct memory_row *row,
                  enum map_mistake mistake)
{
    bool touches = search->run.start + search->run.size_bytes == row->start;
    if (search->run.size_bytes == 0 || mistake == MAP_SINGLE_ROWS)
        return false;
    switch (mistake) {
    case MAP_JOINS_ACROSS_GAPS:
        return true;
    case MAP_JOINS_NEIGHBOURS_IN_ARRAY:
        return !search->row_between;
    case MAP_EMPTY_ROW_SPLITS:
        return touches && !search->row_between;
    default:
        return touches;
    }
}

static void keep_larger(struct search *search)
{
    if (search->run.size_bytes > search->largest.size_bytes)
        search->largest = search->run;
}

static void search_row(struct search *search, const struct memory_row *row,
                       enum map_mistake mistake)
{
    uint64_t size_bytes = row_bytes(row, mistake);
    if (size_bytes == 0) {
        search->row_between = true;
        return;
    }
    if (joins(search, row, mistake)) {
        search->run.size_bytes += size_bytes;
    } else {
        keep_larger(search);
        if (mistake == MAP_LAST_RUN)
            search->largest.size_bytes = 0;
        if (mistake != MAP_FIRST_RUN || search->run.size_bytes == 0)
            search->run = (struct memory_run){row->start, size_bytes};
    }
    search->row_between = false;
}

struct memory_run memory_map_largest_run(const struct memory_map *map, enum map_mistake mistake)
{
    struct search search = {0};
    for (uint64_t i = first_row(mistake); i < row_limit(map, mistake); i++) {
        struct memory_row row = row_at(map, i);
        search_row(&search, &row, mistake);
    }
    if (mistake != MAP_FORGETS_LAST_RUN)
        keep_larger(&search);
    search.largest.size_bytes = in_wrong_units(search.largest.size_bytes, mistake);
    return search.largest;
}
