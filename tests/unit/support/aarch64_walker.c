#include "tests/unit/support/aarch64_walker.h"

#include <string.h>

#define VALID     UINT64_C(1)
#define TABLE     UINT64_C(2)
#define ADDRESS   UINT64_C(0x0000fffffffff000)
#define OUTPUT    ADDRESS
#define ATTRIBUTE UINT64_C(0x1c)
#define SHARED    UINT64_C(0x300)
#define NOT_GLOB  UINT64_C(0x800)

/* The Arm ARM's levels: 0 at the top, 3 with the pages. */
#define LAST_LEVEL 3

static uint64_t span_bytes(int level)
{
    return UINT64_C(1) << (12 + 9 * (LAST_LEVEL - level));
}

static bool is_table(uint64_t descriptor, int level)
{
    return level < LAST_LEVEL && (descriptor & TABLE) != 0;
}

static void report(struct aarch64_walker *walker, const char *problem)
{
    if (walker->first_problem == NULL)
        walker->first_problem = problem;
}

static size_t index_of(struct phys_addr page)
{
    return (size_t)((page.value - FAKE_MEMORY_BASE) / PAGE_SIZE_BYTES);
}

/* --- A changed descriptor --- */

/* RWHZWS. Without a break, only permissions may differ. */
static bool needs_break(uint64_t old, uint64_t new, int level)
{
    if (is_table(old, level) || is_table(new, level))
        return true;
    return ((old ^ new) & (OUTPUT | ATTRIBUTE | SHARED | NOT_GLOB)) != 0;
}

static void becomes_invalid(struct aarch64_cached *cached)
{
    cached->is_present = false;
    cached->is_stale = cached->descriptor != 0;
    cached->is_unpublished = false;
}

static void becomes_valid(struct aarch64_walker *walker, struct aarch64_cached *cached,
                          uint64_t descriptor, int level)
{
    if (is_table(descriptor, level) &&
        !walker->is_complete[index_of(phys_addr(descriptor & ADDRESS))])
        report(walker, "a table is linked before a barrier completed the stores to it");
    cached->descriptor = descriptor;
    cached->is_present = true;
    cached->is_unpublished = true;
}

static void is_replaced(struct aarch64_walker *walker, struct aarch64_cached *cached,
                        uint64_t descriptor, int level)
{
    if (needs_break(cached->descriptor, descriptor, level))
        report(walker, "a descriptor is replaced without a break");
    cached->descriptor = descriptor;
    cached->is_stale = true;
}

static void look_at(struct aarch64_walker *walker, struct aarch64_cached *cached,
                    uint64_t descriptor, int level, uint64_t start)
{
    bool is_valid = (descriptor & VALID) != 0;
    if (!is_valid && cached->is_present)
        becomes_invalid(cached);
    if (is_valid && !cached->is_present) {
        if (cached->is_stale)
            report(walker, "a descriptor is valid again before its old translation is dropped");
        becomes_valid(walker, cached, descriptor, level);
    }
    if (is_valid && cached->descriptor != descriptor)
        is_replaced(walker, cached, descriptor, level);
    cached->start = start;
    cached->size_bytes = span_bytes(level);
}

/* --- The walk --- */

static void walk(struct aarch64_walker *walker, struct phys_addr page, int level, uint64_t start)
{
    const uint64_t *descriptors = fake_memory_at(walker->memory, page);
    size_t index = index_of(page);
    walker->is_reached[index] = true;
    for (unsigned i = 0; i < 512; i++) {
        uint64_t address = start + i * span_bytes(level);
        look_at(walker, &walker->cached[index][i], descriptors[i], level, address);
        if ((descriptors[i] & VALID) != 0 && is_table(descriptors[i], level))
            walk(walker, phys_addr(descriptors[i] & ADDRESS), level + 1, address);
    }
}

/* The entries of a table that is no longer linked translate nothing, but the TLB may hold them. */
static void forget_unreached(struct aarch64_walker *walker)
{
    for (size_t page = 0; page < walker->memory->page_count; page++) {
        for (unsigned i = 0; i < 512 && !walker->is_reached[page]; i++) {
            if (walker->cached[page][i].is_present)
                becomes_invalid(&walker->cached[page][i]);
        }
    }
}

static void observe_tables(struct aarch64_walker *walker)
{
    int level = LAST_LEVEL + 1 - (int)walker->table->features.levels;
    uint64_t upper = 0 - 512 * span_bytes(level);
    memset(walker->is_reached, 0, sizeof(walker->is_reached));
    walk(walker, walker->table->root, level, 0);
    walk(walker, walker->table->upper_root, level, upper);
    forget_unreached(walker);
}

/* --- Events in the memory --- */

static void is_freed(struct aarch64_walker *walker, size_t page)
{
    if (walker->is_reached[page])
        report(walker, "a table is freed while it is linked");
    for (size_t other = 0; other < walker->memory->page_count; other++) {
        for (unsigned i = 0; i < 512; i++) {
            const struct aarch64_cached *cached = &walker->cached[other][i];
            bool refers = cached->descriptor != 0 && cached->size_bytes > PAGE_SIZE_BYTES &&
                          (cached->descriptor & TABLE) != 0 &&
                          index_of(phys_addr(cached->descriptor & ADDRESS)) == page;
            if (refers || (other == page && cached->descriptor != 0))
                report(walker, "a table is freed while the TLB may refer to it");
        }
    }
}

/* An invalidation of any address below a table drops the table's descriptor. The descriptor of a
 * page is dropped only if all of the page is invalidated. The caller promises no more. */
static void drop(struct aarch64_cached *cached, uint64_t start, uint64_t last)
{
    uint64_t cached_last = cached->start + (cached->size_bytes - 1);
    bool overlaps = cached->start <= last && start <= cached_last;
    bool is_covered = start <= cached->start && cached_last <= last;
    bool is_reference = cached->size_bytes > PAGE_SIZE_BYTES && (cached->descriptor & TABLE) != 0;
    if (!cached->is_stale || !(is_reference ? overlaps : is_covered))
        return;
    cached->is_stale = false;
    if (!cached->is_present)
        cached->descriptor = 0;
}

static void observe(void *context, const struct fake_memory_event *event)
{
    struct aarch64_walker *walker = context;
    observe_tables(walker);
    if (event->kind == FAKE_MEMORY_ALLOCATED)
        walker->is_complete[index_of(event->page)] = false;
    if (event->kind == FAKE_MEMORY_FREED)
        is_freed(walker, index_of(event->page));
    for (size_t page = 0; page < walker->memory->page_count; page++) {
        for (unsigned i = 0; i < 512; i++) {
            struct aarch64_cached *cached = &walker->cached[page][i];
            if (event->kind == FAKE_MEMORY_INVALIDATED)
                drop(cached, event->start.value, event->start.value + (event->size_bytes - 1));
            if (event->kind == FAKE_MEMORY_PUBLISHED)
                cached->is_unpublished = false;
        }
        if (event->kind == FAKE_MEMORY_PUBLISHED)
            walker->is_complete[page] = true;
    }
}

/* --- The interface --- */

void aarch64_walker_attach(struct aarch64_walker *walker, struct fake_memory *memory,
                           const struct page_table *table)
{
    memset(walker, 0, sizeof(*walker));
    walker->memory = memory;
    walker->table = table;
    memset(walker->is_complete, true, sizeof(walker->is_complete));
    memory->observe = observe;
    memory->observe_context = walker;
}

const char *aarch64_walker_problem(struct aarch64_walker *walker)
{
    observe_tables(walker);
    for (size_t page = 0; page < walker->memory->page_count; page++) {
        for (unsigned i = 0; i < 512; i++) {
            if (walker->cached[page][i].is_stale)
                report(walker, "an old translation is not dropped at the end of a request");
            if (walker->cached[page][i].is_unpublished)
                report(walker, "a new descriptor is not published at the end of a request");
        }
    }
    return walker->first_problem;
}

static void attach(void *context, struct fake_memory *memory, const struct page_table *table)
{
    aarch64_walker_attach(context, memory, table);
}

static const char *problem(void *context)
{
    return aarch64_walker_problem(context);
}

struct page_table_witness aarch64_walker_witness(struct aarch64_walker *walker)
{
    return (struct page_table_witness){
        .levels = 4, .context = walker, .attach = attach, .problem = problem};
}
