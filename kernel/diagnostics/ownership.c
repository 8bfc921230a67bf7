#include "kernel/diagnostics/ownership.h"

#include <stddef.h>

#include "kernel/core/log.h"

/* One for each type of region, one for unknown types, two of the allocator's own. */
#define HOLDER_LIMIT 24

struct holder {
    const char *name; /* a constant: one holder always has the same pointer */
    uint32_t region_count;
    uint64_t frame_count;
    uint64_t reclaimed_count;
    uint64_t free_count;
    bool is_ram;
    const char *phase; /* of the last reclaim */
    uint64_t timestamp;
};

struct holders {
    struct holder list[HOLDER_LIMIT];
    size_t count;
};

/* Return NULL if there are too many. */
static struct holder *find_holder(struct holders *holders, const char *name)
{
    for (size_t i = 0; i < holders->count; i++) {
        if (holders->list[i].name == name)
            return &holders->list[i];
    }
    if (holders->count == HOLDER_LIMIT)
        return NULL;
    holders->list[holders->count] = (struct holder){.name = name};
    return &holders->list[holders->count++];
}

static void add_holding(struct holder *holder, const struct frame_holding *holding)
{
    uint64_t frame_count = frame_range_count(holding->frames);
    holder->region_count++;
    holder->frame_count += frame_count;
    holder->is_ram = holding->is_ram;
    holder->free_count += holding->free_count;
    if (!holding->released)
        return;
    holder->reclaimed_count += frame_count;
    if (holding->timestamp >= holder->timestamp) {
        holder->timestamp = holding->timestamp;
        holder->phase = holding->phase;
    }
}

static void print_holder(const struct holder *holder, const struct timeline *timeline)
{
    if (holder->reclaimed_count == 0) {
        log_line("memory", "holder=%s ram=%s regions=%u frames=%llu reclaimed=0", holder->name,
                 holder->is_ram ? "yes" : "no", holder->region_count,
                 (unsigned long long)holder->frame_count);
        return;
    }
    log_line("memory",
             "holder=%s ram=yes regions=%u frames=%llu reclaimed=%llu free=%llu at_us=%llu "
             "phase=\"%s\"",
             holder->name, holder->region_count, (unsigned long long)holder->frame_count,
             (unsigned long long)holder->reclaimed_count, (unsigned long long)holder->free_count,
             (unsigned long long)timeline_microseconds_at(timeline, holder->timestamp),
             holder->phase);
}

static void print_sum(const struct frame_allocator *frames, const struct holders *holders)
{
    struct frame_allocator_statistics sum = frame_allocator_statistics(frames);
    uint64_t ram_count = 0;
    uint64_t free_count = 0;
    for (size_t i = 0; i < holders->count; i++) {
        ram_count += holders->list[i].is_ram ? holders->list[i].frame_count : 0;
        free_count += holders->list[i].free_count;
    }
    bool closes =
        ram_count == sum.total_count && free_count == sum.free_count &&
        sum.free_count + sum.used_count + sum.cached_count + sum.reserved_count == sum.total_count;
    log_line("memory", "total=%llu free=%llu used=%llu cached=%llu reserved=%llu closes=%s",
             (unsigned long long)sum.total_count, (unsigned long long)sum.free_count,
             (unsigned long long)sum.used_count, (unsigned long long)sum.cached_count,
             (unsigned long long)sum.reserved_count, closes ? "yes" : "no");
}

/* Log how fragmented the free memory is. */
static void print_largest_run(const struct frame_allocator *frames)
{
    log_line("memory", "largest_run=%llu", (unsigned long long)frame_allocator_largest_run(frames));
}

void ownership_print(const struct frame_allocator *frames, const struct timeline *timeline,
                     bool each_holder)
{
    struct holders holders = {.count = 0};
    for (uint32_t i = 0; i < frame_allocator_holding_count(frames); i++) {
        struct frame_holding holding = frame_allocator_holding(frames, i);
        struct holder *holder = find_holder(&holders, holding.holder);
        if (holder != NULL)
            add_holding(holder, &holding);
    }
    for (size_t i = 0; each_holder && i < holders.count; i++)
        print_holder(&holders.list[i], timeline);
    if (each_holder)
        print_largest_run(frames);
    print_sum(frames, &holders);
}
