#define _DEFAULT_SOURCE

#include "tests/bench/frames/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shared/page_table.h"

#define PAGE_COUNT   UINT64_C(32768) /* 64 tables of 4 KiB pages */
#define LARGE_BYTES  (2 * MIB)
#define VIRTUAL_BASE UINT64_C(0xffffd00000000000)
#define TABLES_MAX   UINT64_C(1024)

static const struct page_permissions READ_WRITE = {.write = true, .global = true};

/* This program's memory contains the tables, at an index that comes from the frame's number. Frames
 * that the allocator returns one after the other are less than TABLES_MAX apart. */
struct tables {
    const struct subject *subject;
    uint64_t *memory;
};

static bool allocate_table(void *context, struct phys_addr *ret_table)
{
    const struct tables *tables = context;
    uint64_t frame;
    if (!tables->subject->get(tables->subject->state, &frame))
        return false;
    *ret_table = phys_addr(frame * tables->subject->frame_unit);
    return true;
}

static void free_table(void *context, struct phys_addr table)
{
    const struct tables *tables = context;
    if (!tables->subject->put(tables->subject->state, table.value / tables->subject->frame_unit))
        exit(1);
}

static uint64_t *access_table(void *context, struct phys_addr table)
{
    const struct tables *tables = context;
    uint64_t index = table.value / PAGE_SIZE_BYTES % TABLES_MAX;
    return tables->memory + index * (PAGE_SIZE_BYTES / sizeof(uint64_t));
}

static double now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void require(enum page_table_status status)
{
    if (status == PAGE_TABLE_OK)
        return;
    (void)fprintf(stderr, "bench_frames: pages: %s\n", page_table_status_name(status));
    exit(1);
}

static uint64_t position(enum pages_how how, uint64_t i)
{
    return (how == PAGES_FALLING ? PAGE_COUNT - 1 - i : i) * PAGE_SIZE_BYTES;
}

static void map_all(struct page_table *table, enum pages_how how)
{
    if (how == PAGES_RANGE || how == PAGES_LARGE) {
        uint64_t page_bytes = how == PAGES_LARGE ? LARGE_BYTES : PAGE_SIZE_BYTES;
        require(page_table_map(table, virt_addr(VIRTUAL_BASE), phys_addr(0),
                               PAGE_COUNT * page_bytes, READ_WRITE, how == PAGES_LARGE));
        return;
    }
    for (uint64_t i = 0; i < PAGE_COUNT; i++)
        require(page_table_map(table, virt_addr(VIRTUAL_BASE + position(how, i)),
                               phys_addr(position(how, i)), PAGE_SIZE_BYTES, READ_WRITE, false));
}

static void unmap_all(struct page_table *table, enum pages_how how)
{
    if (how == PAGES_RANGE || how == PAGES_LARGE) {
        uint64_t page_bytes = how == PAGES_LARGE ? LARGE_BYTES : PAGE_SIZE_BYTES;
        require(page_table_unmap(table, virt_addr(VIRTUAL_BASE), PAGE_COUNT * page_bytes));
        return;
    }
    for (uint64_t i = 0; i < PAGE_COUNT; i++)
        require(
            page_table_unmap(table, virt_addr(VIRTUAL_BASE + position(how, i)), PAGE_SIZE_BYTES));
}

struct pages_times pages_measure(const struct subject *subject, enum pages_how how)
{
    struct tables tables = {subject, aligned_alloc(PAGE_SIZE_BYTES, TABLES_MAX * PAGE_SIZE_BYTES)};
    if (tables.memory == NULL)
        exit(1);
    const struct page_table_memory memory = {.context = &tables,
                                             .allocate_table = allocate_table,
                                             .free_table = free_table,
                                             .access_table = access_table};
    const struct page_table_features features = {
        .levels = 4,
        .physical_bits = 46,
        .largest_leaf_level = 2,
        .no_execute = true,
        .write_combining = true,
    };
    struct page_table table;
    require(page_table_create(&features, &memory, &table));
    double began = now_ns();
    map_all(&table, how);
    double between = now_ns();
    unmap_all(&table, how);
    struct pages_times times = {
        .map = (between - began) / (double)PAGE_COUNT,
        .unmap = (now_ns() - between) / (double)PAGE_COUNT,
    };
    page_table_destroy(&table);
    free(tables.memory);
    return times;
}
