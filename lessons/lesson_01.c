#include "lessons/lesson_01.h"

#include "lessons/memory_maps.h"
#include "shared/text/format.h"

#define MAP_COUNT (MEMORY_MAP_FIXED_COUNT + MEMORY_MAP_RANDOM_COUNT)

/* The order in which the types are asked. The last two are numbers that no enumerator has. */
static const uint32_t types[] = {
    EFI_TYPE_CONVENTIONAL,
    EFI_TYPE_BOOT_SERVICES_CODE,
    EFI_TYPE_BOOT_SERVICES_DATA,
    EFI_TYPE_LOADER_CODE,
    EFI_TYPE_LOADER_DATA,
    EFI_TYPE_RUNTIME_SERVICES_CODE,
    EFI_TYPE_RUNTIME_SERVICES_DATA,
    EFI_TYPE_UNUSABLE,
    EFI_TYPE_ACPI_RECLAIM,
    EFI_TYPE_ACPI_NVS,
    EFI_TYPE_MEMORY_MAPPED_IO,
    EFI_TYPE_RESERVED,
    12,
    UINT32_C(0x80000007),
};

/* Why memory of the type is usable or not. */
static const char *reason(uint32_t type)
{
    switch (type) {
    case EFI_TYPE_CONVENTIONAL:
        return "this is the firmware's word for free memory";
    case EFI_TYPE_BOOT_SERVICES_CODE:
    case EFI_TYPE_BOOT_SERVICES_DATA:
        return "boot services have ended. Nothing uses their memory now";
    case EFI_TYPE_LOADER_CODE:
    case EFI_TYPE_LOADER_DATA:
        return "the loader keeps the kernel and its first heap there";
    case EFI_TYPE_RUNTIME_SERVICES_CODE:
    case EFI_TYPE_RUNTIME_SERVICES_DATA:
        return "a kernel may still call runtime services, for example to power off";
    case EFI_TYPE_UNUSABLE:
        return "this memory is broken: it does not keep what you write";
    case EFI_TYPE_ACPI_RECLAIM:
        return "tables that describe the machine lie there, and the kernel has not read them yet";
    case EFI_TYPE_ACPI_NVS:
        return "the firmware keeps this memory for ever";
    case EFI_TYPE_MEMORY_MAPPED_IO:
        return "this is no memory: a device answers at these addresses";
    case EFI_TYPE_RESERVED:
        return "the firmware keeps its purpose to itself, so leave it";
    default:
        return "a type that you do not know promises nothing";
    }
}

static bool check_type(struct judge *judge, uint32_t type)
{
    bool expected = memory_map_type_is_usable(type);
    const char *name = memory_map_type_name(type);
    if (name[0] == 'u')
        judge_call(judge, "is_usable(0x%x), a type without a name", type);
    else
        judge_call(judge, "is_usable(EFI_TYPE_%s)", name);
    bool answer = lesson_01.is_usable(type);
    judge_returned(judge);
    if (answer == expected)
        return true;
    judge_wrong(judge, "%s returned %s, but a kernel %s use this memory", judge->call,
                answer ? "true" : "false", expected ? "may" : "must not");
    return judge_hint(judge, "%s", reason(type));
}

static void print_row(struct judge *judge, const struct memory_row *row)
{
    judge_say(judge, "  start 0x%016llx  %8llu pages  %s", (unsigned long long)row->start,
              (unsigned long long)row->page_count, memory_map_type_name(row->type));
}

static void print_map(struct judge *judge, unsigned index, const struct memory_map *map)
{
    judge_say(judge, "map %u: %s (%llu rows)", index + 1, map->title,
              (unsigned long long)map->row_count);
    for (uint64_t i = 0; i < map->row_count; i++)
        print_row(judge, &map->rows[i]);
}

/* The reader's rows lie in the heap's memory, with a stranger before and behind them. */
static const struct memory_row *give_rows(struct judge *judge, const struct memory_map *map)
{
    struct memory_row *all = (struct memory_row *)(void *)judge->memory;
    all[0] = memory_map_stranger();
    for (uint64_t i = 0; i < map->row_count; i++)
        all[i + 1] = map->rows[i];
    all[map->row_count + 1] = memory_map_stranger();
    return all + 1;
}

static bool rows_are_unchanged(struct judge *judge, const struct memory_map *map,
                               const struct memory_row *rows)
{
    for (uint64_t i = 0; i < map->row_count; i++)
        if (rows[i].start != map->rows[i].start || rows[i].page_count != map->rows[i].page_count ||
            rows[i].type != map->rows[i].type)
            return judge_wrong(judge, "%s changed row %llu of the map", judge->call,
                               (unsigned long long)i);
    return true;
}

/* A hint for each mistake. */
static const char *const hints[MAP_MISTAKE_COUNT] = {
    [MAP_COUNTS_PAGES] = "this is a number of pages. A page has PAGE_BYTES bytes",
    [MAP_ONLY_CONVENTIONAL] = "boot services have ended: their memory counts, too",
    [MAP_EVERY_TYPE] = "this includes rows that are not usable: ask is_usable() for each row",
    [MAP_MISSES_FIRST_ROW] = "a row is missing: the first is rows[0], the last is "
                             "rows[row_count - 1]",
    [MAP_MISSES_LAST_ROW] = "a row is missing: the first is rows[0], the last is "
                            "rows[row_count - 1]",
    [MAP_READS_BEHIND] = "this includes rows[row_count], which is behind the last row",
    [MAP_COUNTS_BROKEN_ROWS] = "this includes a broken row: page_count * PAGE_BYTES, or the "
                               "row's end, does not fit into 64 bits",
    [MAP_COUNTS_ROWS_THAT_WRAP] = "this includes a broken row: its bytes fit into 64 bits, but "
                                  "start + bytes does not",
    [MAP_STOPS_AT_EMPTY_ROW] = "a row with 0 pages is not the end of the map",
    [MAP_STOPS_AT_BROKEN_ROW] = "a broken row is not the end of the map: go on behind it",
    [MAP_32_BITS] = "this is the lower half of the number: 32 bits are too few",
    [MAP_32_BIT_ROWS] = "the bytes of one row need 64 bits, too",
    [MAP_SINGLE_ROWS] = "rows that touch belong to one run, also if their types differ: compare "
                        "a row's start with the end of the run",
    [MAP_JOINS_ACROSS_GAPS] = "there is memory between these rows that is not usable",
    [MAP_JOINS_NEIGHBOURS_IN_ARRAY] = "neighbours in the array can have a gap between their "
                                      "addresses",
    [MAP_EMPTY_ROW_SPLITS] = "a row with 0 pages describes no memory: it ends no run",
    [MAP_FORGETS_LAST_RUN] = "the last run is missing: a run that reaches the last row "
                             "counts, too",
    [MAP_FIRST_RUN] = "this is the first run. Is a later one larger?",
    [MAP_LAST_RUN] = "this is the last run. Was an earlier one larger?",
};

static bool is_same_run(struct memory_run a, struct memory_run b)
{
    return a.size_bytes == b.size_bytes && (a.start == b.start || a.size_bytes == 0);
}

/* Code with this mistake gives the right answers for all maps before `index`. */
static bool passed_until(unsigned index, enum map_mistake mistake)
{
    struct memory_map map;
    for (unsigned i = 0; i < index; i++) {
        memory_map_make(i, &map);
        if (memory_map_usable_bytes(&map, mistake) !=
                memory_map_usable_bytes(&map, MAP_NO_MISTAKE) ||
            !is_same_run(memory_map_largest_run(&map, mistake),
                         memory_map_largest_run(&map, MAP_NO_MISTAKE)))
            return false;
    }
    return true;
}

static bool explain_bytes(struct judge *judge, unsigned index, const struct memory_map *map,
                          uint64_t answer_bytes)
{
    for (unsigned i = MAP_NO_MISTAKE + 1; i < MAP_MISTAKE_FOR_RUNS; i++)
        if (memory_map_usable_bytes(map, (enum map_mistake)i) == answer_bytes &&
            passed_until(index, (enum map_mistake)i))
            return judge_hint(judge, "%s", hints[i]);
    return judge_hint(judge, "add page_count * PAGE_BYTES of every row that is usable");
}

static bool check_bytes(struct judge *judge, unsigned index, const struct memory_map *map)
{
    const struct memory_row *rows = give_rows(judge, map);
    uint64_t expected_bytes = memory_map_usable_bytes(map, MAP_NO_MISTAKE);
    judge_call(judge, "usable_bytes(map %u, %llu)", index + 1, (unsigned long long)map->row_count);
    uint64_t answer_bytes = lesson_01.usable_bytes(rows, map->row_count);
    judge_returned(judge);
    if (!rows_are_unchanged(judge, map, rows))
        return false;
    judge_say(judge, "%llu bytes", (unsigned long long)answer_bytes);
    if (answer_bytes == expected_bytes)
        return true;
    if (index >= MEMORY_MAP_FIXED_COUNT)
        print_map(judge, index, map);
    judge_wrong(judge, "%s returned %llu. The usable rows have %llu bytes", judge->call,
                (unsigned long long)answer_bytes, (unsigned long long)expected_bytes);
    return explain_bytes(judge, index, map, answer_bytes);
}

static bool explain_run(struct judge *judge, unsigned index, const struct memory_map *map,
                        struct memory_run answer)
{
    struct memory_run expected = memory_map_largest_run(map, MAP_NO_MISTAKE);
    /* usable_bytes() was right, so a mistake that only runs can have is more likely. */
    for (unsigned i = MAP_MISTAKE_COUNT - 1; i > MAP_NO_MISTAKE; i--)
        if (is_same_run(memory_map_largest_run(map, (enum map_mistake)i), answer) &&
            passed_until(index, (enum map_mistake)i))
            return judge_hint(judge, "%s", hints[i]);
    if (expected.size_bytes == 0)
        return judge_hint(judge, "no memory is usable here, so the size must be 0");
    if (answer.size_bytes == expected.size_bytes)
        return judge_hint(judge, "the size is right. The run begins where its first row begins");
    if (answer.start == expected.start)
        return judge_hint(judge, "the start is right. The run ends where its last row ends");
    return judge_hint(judge, "draw the map on paper, and mark the usable rows that touch");
}

static bool check_run(struct judge *judge, unsigned index, const struct memory_map *map)
{
    const struct memory_row *rows = give_rows(judge, map);
    struct memory_run expected = memory_map_largest_run(map, MAP_NO_MISTAKE);
    judge_call(judge, "largest_run(map %u, %llu)", index + 1, (unsigned long long)map->row_count);
    struct memory_run answer = lesson_01.largest_run(rows, map->row_count);
    judge_returned(judge);
    if (!rows_are_unchanged(judge, map, rows))
        return false;
    judge_say(judge, "%llu bytes at 0x%llx", (unsigned long long)answer.size_bytes,
              (unsigned long long)answer.start);
    if (is_same_run(expected, answer))
        return true;
    if (index >= MEMORY_MAP_FIXED_COUNT)
        print_map(judge, index, map);
    judge_wrong(judge, "%s returned %llu bytes at 0x%llx. The largest run has %llu bytes at 0x%llx",
                judge->call, (unsigned long long)answer.size_bytes,
                (unsigned long long)answer.start, (unsigned long long)expected.size_bytes,
                (unsigned long long)expected.start);
    return explain_run(judge, index, map, answer);
}

static bool check_map(struct judge *judge, unsigned index)
{
    struct memory_map map;
    memory_map_make(index, &map);
    if (index < MEMORY_MAP_FIXED_COUNT)
        print_map(judge, index, &map);
    else
        judge_say(judge, "map %u: %s (%llu rows)", index + 1, map.title,
                  (unsigned long long)map.row_count);
    return check_bytes(judge, index, &map) && check_run(judge, index, &map);
}

bool lesson_01_run(struct judge *judge)
{
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!check_type(judge, types[i]))
            return false;
    for (unsigned i = 0; i < MAP_COUNT; i++)
        if (!check_map(judge, i))
            return false;
    return true;
}
