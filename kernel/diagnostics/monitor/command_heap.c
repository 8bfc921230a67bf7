#include "kernel/diagnostics/monitor/command_heap.h"

#include "kernel/core/symbols.h"
#include "kernel/diagnostics/monitor/plural.h"
#include "kernel/diagnostics/monitor/size_text.h"
#include "kernel/diagnostics/print_heap.h"
#include "kernel/diagnostics/print_leaks.h"
#include "kernel/mm/heap/include/handoff/heap_leaks.h"
#include "kernel/mm/heap/include/handoff/heap_picture.h"
#include "shared/text/format.h"

const char *const command_heap_choices[] = {"stats", "histogram", "picture", "walk",
                                            "check", "leaks",     NULL};

static void say_stats(const struct heap *heap)
{
    struct heap_statistics figures;
    heap_statistics(heap, &figures);
    monitor_say("The permanent heap, policy %s:", heap_policy_name(heap));
    monitor_say("  size      %10zu bytes, of at most %s", figures.size_bytes,
                size_text(figures.limit_bytes).text);
    monitor_say("  used      %10zu bytes in %zu block%s, peak %zu byte%s", figures.used_bytes,
                figures.live_block_count, plural(figures.live_block_count), figures.peak_used_bytes,
                plural(figures.peak_used_bytes));
    monitor_say("  free      %10zu bytes in %zu piece%s, the largest %zu bytes", figures.free_bytes,
                figures.free_block_count, plural(figures.free_block_count),
                figures.largest_free_bytes);
    monitor_say("  overhead  %10zu bytes, %zu freed block%s in the quarantine",
                figures.overhead_bytes, figures.quarantine_block_count,
                plural(figures.quarantine_block_count));
    monitor_say("  guarded   %10zu bytes for %zu block%s", figures.guarded_bytes,
                figures.guarded_block_count, plural(figures.guarded_block_count));
    monitor_say("  so far    %10llu allocation%s, %llu free%s, %llu failure%s",
                (unsigned long long)figures.allocation_count, plural(figures.allocation_count),
                (unsigned long long)figures.free_count, plural(figures.free_count),
                (unsigned long long)figures.failure_count, plural(figures.failure_count));
}

static void say_histogram(const struct heap *heap)
{
    static const char bar[] = "########################################";
    struct heap_picture picture;
    uint64_t most = 1;
    heap_picture_take(heap, &picture);
    for (unsigned i = 0; i < HEAP_SIZE_CLASS_COUNT; i++)
        most = picture.live_counts[i] > most ? picture.live_counts[i] : most;
    monitor_say("Live blocks by size:");
    for (unsigned i = 0; i < HEAP_SIZE_CLASS_COUNT; i++) {
        uint64_t count = picture.live_counts[i];
        if (count != 0)
            monitor_say("  up to %10s %8llu %.*s", size_text(UINT64_C(1) << i).text,
                        (unsigned long long)count, (int)(1 + count * (sizeof bar - 2) / most), bar);
    }
}

static void say_row(void *context, const void *start, const char *text)
{
    (void)context;
    monitor_say("  %p [%s]", start, text);
}

static void say_picture(const struct heap *heap)
{
    size_t stretch_bytes;
    heap_map_draw(heap, say_row, NULL, &stretch_bytes);
    monitor_say("  a character is %zu bytes: # blocks, . free, + both, o the heap's own",
                stretch_bytes);
}

/* More lines would scroll away. */
#define WALK_LIMIT 40

static void say_piece(void *context, const struct heap_piece *piece)
{
    static const char *const kinds[] = {"live", "free", "own"};
    unsigned *count = context;
    if ((*count)++ >= WALK_LIMIT)
        return;
    size_t bytes = piece->kind == HEAP_PIECE_LIVE ? piece->size_bytes : piece->extent_bytes;
    monitor_say("  %p %-4s %10zu byte%s", piece->start, kinds[piece->kind], bytes, plural(bytes));
}

static void say_walk(const struct heap *heap)
{
    unsigned count = 0;
    heap_walk(heap, say_piece, &count);
    if (count > WALK_LIMIT)
        monitor_say("  and %u more piece%s", count - WALK_LIMIT, plural(count - WALK_LIMIT));
}

static void say_check(const struct heap *heap)
{
    const char *problem = heap_check(heap);
    monitor_say("Check of the whole heap: %s.", problem == NULL ? "sound" : problem);
}

struct caller_text {
    char text[96];
};

static struct caller_text caller_text(const void *caller)
{
    struct caller_text result;
    struct symbol symbol;
    if (symbols_find_caller(virt_addr((uintptr_t)caller), &symbol))
        format_text(result.text, sizeof result.text, "%s+0x%llx", symbol.name,
                    (unsigned long long)symbol.offset_bytes);
    else
        format_text(result.text, sizeof result.text, "of a caller that is not recorded");
    return result;
}

static void say_leaks(const struct heap *heap)
{
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    monitor_say("Live blocks by the caller that allocated them (heap_debug=on records all):");
    for (size_t i = 0; i < leaks.site_count; i++) {
        const struct heap_leak_site *site = &leaks.sites[i];
        monitor_say("  %6zu block%s %10zu byte%s  %s", site->block_count,
                    plural_column(site->block_count), site->used_bytes,
                    plural_column(site->used_bytes), caller_text(site->allocated_by).text);
    }
    if (leaks.site_count == 0)
        monitor_say("  none");
}

/* The views that have lines for scripts. */
static void print_kv(const struct heap *heap, const struct arguments *arguments)
{
    if (monitor_argument_is(arguments, 0, "leaks"))
        print_leaks(heap);
    else
        print_heap(heap, "monitor");
}

void command_heap(struct monitor_state *monitor, const struct arguments *arguments)
{
    static void (*const views[])(const struct heap *heap) = {
        say_stats, say_histogram, say_picture, say_walk, say_check, say_leaks,
    };
    const struct heap *heap = monitor->kernel->heap;
    if (arguments->is_kv) {
        print_kv(heap, arguments);
        return;
    }
    if (arguments->count == 0) {
        say_stats(heap);
        say_picture(heap);
        return;
    }
    for (size_t i = 0; command_heap_choices[i] != NULL; i++) {
        if (monitor_argument_is(arguments, 0, command_heap_choices[i]))
            views[i](heap);
    }
}
