#include "kernel/mm/paging/space_map.h"

#include "shared/page_entry.h"
#include "shared/text/format.h"

struct map_walk {
    const struct address_space *space;
    void (*visit)(void *context, const struct space_map_line *line);
    void *context;
    struct virt_addr position; /* addresses below have been visited */
};

/* Return the lowest guard in [walk->position, limit), or NULL. */
static const struct address_space_guard *next_guard(const struct map_walk *walk,
                                                    struct virt_addr limit)
{
    const struct address_space_guard *next = NULL;
    for (size_t i = 0; i < walk->space->guard_count; i++) {
        const struct address_space_guard *guard = &walk->space->guards[i];
        uint64_t start = guard->virtual.start.value;
        if (start >= walk->position.value && start < limit.value &&
            (next == NULL || start < next->virtual.start.value))
            next = guard;
    }
    return next;
}

static void visit_guards(struct map_walk *walk, struct virt_addr limit)
{
    const struct address_space_guard *guard;
    while ((guard = next_guard(walk, limit)) != NULL) {
        const struct space_map_line line = {.virtual = guard->virtual, .guard = guard};
        walk->visit(walk->context, &line);
        walk->position = guard->virtual.end;
    }
}

static void visit_run(void *context, const struct page_run *run)
{
    struct map_walk *walk = context;
    const struct space_map_line line = {.virtual = page_run_virtual(run), .run = run};
    visit_guards(walk, line.virtual.start);
    walk->visit(walk->context, &line);
    walk->position = line.virtual.end;
}

void space_map_walk(const struct address_space *space,
                    void (*visit)(void *context, const struct space_map_line *line), void *context)
{
    struct map_walk walk = {.space = space, .visit = visit, .context = context};
    page_runs_walk(&space->table, space, visit_run, &walk);
    visit_guards(&walk, virt_addr(UINT64_MAX));
}

/* --- As text ---------------------------------------------------------------------------------- */

static const char *memory_type_name(enum page_memory_type type)
{
    switch (type) {
    case PAGE_MEMORY_WRITE_BACK:
        return "write-back";
    case PAGE_MEMORY_WRITE_COMBINING:
        return "write-combining";
    case PAGE_MEMORY_UNCACHED:
        return "uncached";
    }
    return "unknown";
}

/* Write "159x4K,2x2M": the sizes that exist, the smallest first. */
static void format_page_sizes(const struct page_run *run, char *text, size_t capacity_bytes)
{
    size_t length = 0;
    for (unsigned i = 0; i < PAGE_RUN_LEVEL_COUNT && length < capacity_bytes; i++) {
        if (run->page_counts[i] == 0)
            continue;
        uint64_t size_kib = page_entry_span_bytes(PAGE_LEVEL_SMALLEST + i) / KIB;
        unsigned unit = 0;
        for (; size_kib >= 1024; size_kib /= 1024)
            unit++;
        length += (size_t)format_text(
            text + length, capacity_bytes - length, "%s%llux%llu%c", length > 0 ? "," : "",
            (unsigned long long)run->page_counts[i], (unsigned long long)size_kib, "KMGT"[unit]);
    }
}

static void format_physical(const struct page_run *run, char *text, size_t capacity_bytes)
{
    if (run->is_contiguous)
        format_text(text, capacity_bytes, "0x%llx", (unsigned long long)run->physical.value);
    else
        format_text(text, capacity_bytes, "scattered");
}

static void format_run(const struct page_run *run, char *text, size_t capacity_bytes)
{
    char pages[80];
    char physical[24];
    format_page_sizes(run, pages, sizeof pages);
    format_physical(run, physical, sizeof physical);
    format_text(text, capacity_bytes,
                "access=r%s%s%s memory=%s global=%s pages=%s physical=%s owner=\"%s%s\"",
                run->permissions.write ? "w" : "-", run->permissions.execute ? "x" : "-",
                run->user ? "u" : "", memory_type_name(run->permissions.memory_type),
                run->permissions.global ? "yes" : "no", pages, physical,
                run->area != NULL && run->area->is_through_direct_map ? "direct map of " : "",
                run->area != NULL ? run->area->name : "nobody");
}

void space_map_format(const struct space_map_line *line, char *text, size_t capacity_bytes)
{
    char rest[SPACE_MAP_LINE_CAPACITY_BYTES];
    if (line->run != NULL)
        format_run(line->run, rest, sizeof rest);
    else
        format_text(rest, sizeof rest, "access=none owner=\"guard: %s\"", line->guard->name);
    format_text(text, capacity_bytes, "from=0x%016llx to=0x%016llx size_kib=%llu %s",
                (unsigned long long)line->virtual.start.value,
                (unsigned long long)line->virtual.end.value,
                (unsigned long long)(virt_range_size_bytes(line->virtual) / KIB), rest);
}
