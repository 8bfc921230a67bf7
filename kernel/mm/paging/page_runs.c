#include "kernel/mm/paging/page_runs.h"

#include <stddef.h>

#include "shared/page_entry.h"

struct virt_range page_run_virtual(const struct page_run *run)
{
    struct virt_range range = {run->virtual, virt_addr(UINT64_MAX)};
    (void)virt_range_from_base_size(run->virtual, run->size_bytes, &range);
    return range;
}

struct phys_range page_run_physical(const struct page_run *run)
{
    return (struct phys_range){run->physical, phys_addr_add(run->physical, run->size_bytes)};
}

uint64_t page_run_page_count(const struct page_run *run)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < PAGE_RUN_LEVEL_COUNT; i++)
        count += run->page_counts[i];
    return count;
}

struct runs_walk {
    const struct address_space *areas;
    void (*visit)(void *context, const struct page_run *run);
    void *context;
    struct page_run run; /* empty before the first page */
};

static bool same_permissions(struct page_permissions a, struct page_permissions b)
{
    return a.write == b.write && a.execute == b.execute && a.global == b.global &&
           a.memory_type == b.memory_type;
}

static bool follows_physically(const struct page_run *run, const struct page_mapping *page)
{
    return run->physical.value + run->size_bytes == page->physical.value;
}

static const struct address_space_area *area_of(const struct runs_walk *walk,
                                                const struct page_mapping *page)
{
    return walk->areas == NULL ? NULL : address_space_find_area(walk->areas, page->virtual);
}

static bool continues(const struct runs_walk *walk, const struct page_mapping *page)
{
    const struct page_run *run = &walk->run;
    if (run->size_bytes == 0 || run->virtual.value + run->size_bytes != page->virtual.value ||
        run->user != page->user || !same_permissions(run->permissions, page->permissions))
        return false;
    return walk->areas == NULL ? follows_physically(run, page) : run->area == area_of(walk, page);
}

static void finish_run(struct runs_walk *walk)
{
    if (walk->run.size_bytes > 0)
        walk->visit(walk->context, &walk->run);
}

/* If areas count, pages are added one by one, since each may lie in another area. */
static void add_pages(struct runs_walk *walk, const struct page_mapping *page, uint64_t page_count)
{
    if (continues(walk, page)) {
        walk->run.is_contiguous = walk->run.is_contiguous && follows_physically(&walk->run, page);
    } else {
        finish_run(walk);
        walk->run = (struct page_run){
            .virtual = page->virtual,
            .physical = page->physical,
            .is_contiguous = true,
            .permissions = page->permissions,
            .user = page->user,
            .area = area_of(walk, page),
        };
    }
    walk->run.size_bytes += page_count * page->page_size_bytes;
    walk->run.page_counts[page->level - PAGE_LEVEL_SMALLEST] += page_count;
}

static bool add_page(void *context, const struct page_mapping *page)
{
    add_pages(context, page, 1);
    return true;
}

static bool add_range(void *context, const struct page_mapping *first, uint64_t page_count)
{
    add_pages(context, first, page_count);
    return true;
}

void page_runs_walk(const struct page_table *table, const struct address_space *areas,
                    void (*visit)(void *context, const struct page_run *run), void *context)
{
    struct runs_walk walk = {.areas = areas, .visit = visit, .context = context};
    if (areas == NULL)
        page_table_walk_ranges(table, add_range, &walk);
    else
        page_table_walk(table, add_page, &walk);
    finish_run(&walk);
}
