#include "kernel/diagnostics/print_map.h"

#include "kernel/core/log.h"
#include "kernel/mm/paging/space_map.h"

static void print_line(void *context, const struct space_map_line *line)
{
    char text[SPACE_MAP_LINE_CAPACITY_BYTES];
    uint64_t *page_count = context;
    if (line->run != NULL)
        *page_count += page_run_page_count(line->run);
    space_map_format(line, text, sizeof text);
    log_line("map", "%s", text);
}

void print_map_lines(const struct address_space *space)
{
    uint64_t page_count = 0;
    space_map_walk(space, print_line, &page_count);
}

void print_map(const struct address_space *space)
{
    const struct page_table *table = &space->table;
    uint64_t page_count = 0;
    space_map_walk(space, print_line, &page_count);
    log_line("map", "audit=passed levels=%u root=0x%llx pages=%llu tables=%llu",
             table->features.levels, (unsigned long long)table->root.value,
             (unsigned long long)page_count, (unsigned long long)table->table_count);
}
