#include "kernel/diagnostics/monitor/command_blocks.h"

#include "kernel/diagnostics/monitor/plural.h"
#include "kernel/mm/kmalloc.h"
#include "shared/power_of_two.h"

struct search {
    const void *block;
    bool is_live;
};

static void compare(void *context, const struct heap_piece *piece)
{
    struct search *search = context;
    if (piece->kind == HEAP_PIECE_LIVE && piece->start == search->block)
        search->is_live = true;
}

/* Read the address of a live block. A wrong one is refused here, since the heap would panic. */
static bool read_block(const struct monitor_state *monitor, const struct arguments *arguments,
                       void **ret_block)
{
    uint64_t address;
    if (!monitor_number(monitor, arguments->words[0], "ADDRESS", &address))
        return false;
    *ret_block = (void *)(uintptr_t)address;
    struct search search = {.block = *ret_block};
    heap_walk(monitor->kernel->heap, compare, &search);
    if (!search.is_live)
        monitor_say("%s: %p is not a live block of the heap: alloc makes one, heap walk lists them",
                    monitor->running->name, *ret_block);
    return search.is_live;
}

static void say_block(const char *name, const void *block, uint64_t size_bytes)
{
    if (block == NULL)
        monitor_say("%s: the heap has no room for %llu byte%s: heap stats has the figures", name,
                    (unsigned long long)size_bytes, plural(size_bytes));
    else
        monitor_say("%p, %llu byte%s", block, (unsigned long long)size_bytes, plural(size_bytes));
}

void command_alloc(struct monitor_state *monitor, const struct arguments *arguments)
{
    uint64_t size_bytes;
    uint64_t alignment_bytes = HEAP_ALIGNMENT_BYTES;
    if (!monitor_number(monitor, arguments->words[0], "SIZE", &size_bytes))
        return;
    if (arguments->count > 1 &&
        !monitor_number(monitor, arguments->words[1], "ALIGNMENT", &alignment_bytes))
        return;
    if (!is_power_of_two(alignment_bytes)) {
        monitor_say("alloc: ALIGNMENT must be a power of two such as 64 or 4K");
        return;
    }
    void *block =
        arguments->count > 1 ? kmalloc_aligned(size_bytes, alignment_bytes) : kmalloc(size_bytes);
    if (block == NULL && arguments->count > 1)
        monitor_say("alloc: the heap has no room for %llu byte%s at a multiple of 0x%llx",
                    (unsigned long long)size_bytes, plural(size_bytes),
                    (unsigned long long)alignment_bytes);
    else
        say_block("alloc", block, size_bytes);
}

void command_free(struct monitor_state *monitor, const struct arguments *arguments)
{
    void *block;
    if (!read_block(monitor, arguments, &block))
        return;
    kfree(block);
    monitor_say("freed");
}

void command_realloc(struct monitor_state *monitor, const struct arguments *arguments)
{
    void *block;
    uint64_t size_bytes;
    if (!read_block(monitor, arguments, &block) ||
        !monitor_number(monitor, arguments->words[1], "SIZE", &size_bytes))
        return;
    if (size_bytes == 0)
        monitor_say("realloc: SIZE 0 would free the block: use free");
    else
        say_block("realloc", krealloc(block, size_bytes), size_bytes);
}
