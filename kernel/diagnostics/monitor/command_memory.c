#include "kernel/diagnostics/monitor/command_memory.h"

#include "kernel/diagnostics/monitor/plural.h"
#include "kernel/diagnostics/monitor/size_text.h"
#include "kernel/diagnostics/ownership.h"
#include "kernel/diagnostics/print_early_heap.h"
#include "kernel/diagnostics/print_regions.h"
#include "kernel/mm/early_heap_picture.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

static void say_holding(const struct frame_holding *holding)
{
    uint64_t start = holding->frames.start * FRAME_SIZE_BYTES;
    uint64_t end = holding->frames.end * FRAME_SIZE_BYTES;
    uint64_t frame_count = (end - start) / FRAME_SIZE_BYTES;
    char state[64];
    if (holding->released)
        format_text(state, sizeof state, "%llu of %llu %s free",
                    (unsigned long long)holding->free_count, (unsigned long long)frame_count,
                    frame_count == 1 ? "frame is" : "frames are");
    else
        format_text(state, sizeof state, "%s", holding->is_ram ? "reserved" : "not RAM");
    monitor_say("0x%012llx-0x%012llx %11s  %-16s %s", (unsigned long long)start,
                (unsigned long long)end, size_text(end - start).text, holding->holder, state);
}

/* Add `next` to the holding, if both are one piece of memory with one holder. */
static bool join(struct frame_holding *holding, const struct frame_holding *next)
{
    if (holding->frames.end != next->frames.start || holding->released != next->released ||
        holding->is_ram != next->is_ram || !text_equal(holding->holder, next->holder))
        return false;
    holding->frames.end = next->frames.end;
    holding->free_count += next->free_count;
    return true;
}

void command_map(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct frame_allocator *frames = &monitor->kernel->frames;
    if (arguments->is_kv) {
        print_regions(&monitor->kernel->view.regions);
        return;
    }
    monitor_say("Physical memory: range, size, holder at the kernel's entry, use now");
    struct frame_holding holding = frame_allocator_holding(frames, 0);
    for (uint32_t i = 1; i < frame_allocator_holding_count(frames); i++) {
        struct frame_holding next = frame_allocator_holding(frames, i);
        if (join(&holding, &next))
            continue;
        say_holding(&holding);
        holding = next;
    }
    say_holding(&holding);
}

static void say_frames(const char *what, uint64_t frame_count)
{
    monitor_say("  %-9s %10llu frame%s %10s", what, (unsigned long long)frame_count,
                plural_column(frame_count), size_text(frame_count * FRAME_SIZE_BYTES).text);
}

void command_frames(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct frame_allocator *frames = &monitor->kernel->frames;
    if (arguments->is_kv) {
        ownership_print(frames, &monitor->kernel->timeline, true);
        return;
    }
    struct frame_allocator_statistics sum = frame_allocator_statistics(frames);
    const char *problem = frame_allocator_check(frames);
    monitor_say("All RAM of the machine, in frames of 4 KiB:");
    say_frames("total", sum.total_count);
    say_frames("free", sum.free_count);
    say_frames("used", sum.used_count);
    say_frames("cached", sum.cached_count);
    say_frames("reserved", sum.reserved_count);
    uint64_t run = frame_allocator_largest_run(frames);
    monitor_say("The longest free run has %llu frame%s.", (unsigned long long)run, plural(run));
    monitor_say("Check of all records: %s.", problem == NULL ? "sound" : problem);
}

void command_early(struct monitor_state *monitor, const struct arguments *arguments)
{
    const struct early_heap *heap = &monitor->kernel->early_heap;
    if (arguments->is_kv) {
        print_early_heap(heap);
        return;
    }
    struct early_heap_statistics sum = early_heap_statistics(heap);
    char map[EARLY_HEAP_MAP_CHARACTERS + 1];
    uint64_t stretch_bytes = early_heap_map_draw(heap, map);
    monitor_say("The early heap, in the %s%s:",
                monitor->kernel->early_heap_is_fallback ? "fallback region" : "temporary heap",
                heap->retired ? ", retired" : "");
    monitor_say("  size %s, used %llu bytes, peak %llu bytes, %llu allocation%s",
                size_text(sum.size_bytes).text, (unsigned long long)sum.used_bytes,
                (unsigned long long)sum.peak_bytes, (unsigned long long)sum.allocation_count,
                plural(sum.allocation_count));
    for (uint32_t i = 0; i < heap->phase_count; i++)
        monitor_say("  %-16s %6llu allocation%s %10llu bytes", heap->phases[i].name,
                    (unsigned long long)heap->phases[i].allocation_count,
                    plural_column(heap->phases[i].allocation_count),
                    (unsigned long long)heap->phases[i].allocated_bytes);
    monitor_say("  [%s]", map);
    monitor_say("  a character is %llu bytes: # in use, + was in use, . never used",
                (unsigned long long)stretch_bytes);
}
