#include "kernel/diagnostics/monitor/command_pages.h"

#include "kernel/diagnostics/monitor/plural.h"
#include "kernel/diagnostics/monitor/size_text.h"
#include "kernel/diagnostics/print_map.h"
#include "kernel/mm/paging/page_path.h"
#include "kernel/mm/paging/space_map.h"
#include "shared/page_entry.h"
#include "shared/text/format.h"

static const char *memory_name(struct page_permissions permissions)
{
    static const char *const names[] = {
        [PAGE_MEMORY_WRITE_BACK] = "write-back",
        [PAGE_MEMORY_WRITE_COMBINING] = "write-combining",
        [PAGE_MEMORY_UNCACHED] = "uncached",
    };
    return names[permissions.memory_type];
}

static void say_step(const struct page_step *step)
{
    char rights[] = "r--";
    if (!step->is_present) {
        monitor_say("level %u, entry %3u of 0x%llx: 0x%016llx not present", step->level,
                    step->index, (unsigned long long)step->table.value,
                    (unsigned long long)step->entry);
        return;
    }
    rights[1] = step->write ? 'w' : '-';
    rights[2] = step->execute ? 'x' : '-';
    monitor_say("level %u, entry %3u of 0x%llx: 0x%016llx %s %s, %s 0x%llx%s%s%s", step->level,
                step->index, (unsigned long long)step->table.value, (unsigned long long)step->entry,
                rights, step->user ? "user" : "kernel only", step->is_leaf ? "page" : "table",
                (unsigned long long)step->target.value, step->is_leaf ? ", " : "",
                step->is_leaf ? memory_name(step->permissions) : "",
                step->is_leaf && step->permissions.global ? ", global" : "");
}

static void say_owner(const struct address_space *space, struct virt_addr address)
{
    const struct address_space_guard *guard = address_space_find_guard(space, address);
    const struct address_space_area *area = address_space_find_area(space, address);
    if (guard != NULL)
        monitor_say("It is a guard page of \"%s\", and stays unmapped.", guard->name);
    else if (area != NULL)
        monitor_say("It belongs to \"%s\".", area->name);
}

void command_pages(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct address_space *space = &monitor->kernel->address_space;
    struct page_step steps[PAGE_PATH_LIMIT];
    uint64_t address;
    if (!monitor_number(monitor, arguments->words[0], "ADDRESS", &address))
        return;
    size_t count = page_path_find(&space->table, virt_addr(address), steps);
    if (count == 0) {
        monitor_say("pages: 0x%llx is not canonical: no tables can map it",
                    (unsigned long long)address);
        return;
    }
    for (size_t i = 0; i < count; i++)
        say_step(&steps[i]);
    say_owner(space, virt_addr(address));
    const struct page_step *last = &steps[count - 1];
    struct phys_addr physical =
        phys_addr_add(last->target, address & (page_entry_span_bytes(last->level) - 1));
    if (last->is_leaf)
        monitor_say("The page has %s. The physical address is 0x%llx.",
                    size_text(page_entry_span_bytes(last->level)).text,
                    (unsigned long long)physical.value);
}

static void say_run(const struct page_run *run, const char *range)
{
    const struct address_space_area *area = run->area;
    monitor_say("%s r%c%c %-15s %s%s", range, run->permissions.write ? 'w' : '-',
                run->permissions.execute ? 'x' : '-', memory_name(run->permissions),
                area != NULL && area->is_through_direct_map ? "direct map of " : "",
                area != NULL ? area->name : "nobody");
}

static void say_line(void *context, const struct space_map_line *line)
{
    char range[64];
    (void)context;
    format_text(range, sizeof range, "0x%016llx %10s",
                (unsigned long long)line->virtual.start.value,
                size_text(virt_range_size_bytes(line->virtual)).text);
    if (line->run != NULL)
        say_run(line->run, range);
    else
        monitor_say("%s --- guard page of %s", range, line->guard->name);
}

void command_space(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct address_space *space = &monitor->kernel->address_space;
    if (arguments->is_kv) {
        print_map_lines(space);
        return;
    }
    monitor_say("Virtual memory: start, size, access, type of memory, owner");
    space_map_walk(space, say_line, NULL);
    monitor_say("%u levels of tables, root 0x%llx, %llu table%s", space->table.features.levels,
                (unsigned long long)space->table.root.value,
                (unsigned long long)space->table.table_count, plural(space->table.table_count));
}
