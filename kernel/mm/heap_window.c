#include "kernel/mm/heap_window.h"

#include "kernel/panic.h"
#include "shared/range.h"

static struct virt_addr end_of(const struct heap_window *window)
{
    return virt_addr_add(window->base, window->mapped_bytes);
}

/* Where the window ends if that much is mapped: a whole number of steps, or the limit. */
static uint64_t window_for(const struct heap_window *window, uint64_t mapped_bytes)
{
    uint64_t bytes = window->window_bytes;
    while (bytes < mapped_bytes)
        bytes += window->step_bytes;
    return bytes < window->limit_bytes ? bytes : window->limit_bytes;
}

static bool grow(void *context, size_t additional_bytes)
{
    struct heap_window *window = context;
    if (!page_is_aligned(additional_bytes) ||
        additional_bytes > window->limit_bytes - window->mapped_bytes)
        return false;
    if (address_space_map_frames(window->space, end_of(window),
                                 additional_bytes / PAGE_SIZE_BYTES) != PAGE_TABLE_OK)
        return false;
    window->mapped_bytes += additional_bytes;
    window->window_bytes = window_for(window, window->mapped_bytes);
    return true;
}

static void shrink(void *context, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(page_is_aligned(bytes) && bytes <= window->mapped_bytes);
    window->mapped_bytes -= bytes;
    address_space_unmap_frames(window->space, end_of(window), bytes / PAGE_SIZE_BYTES);
}

void heap_window_initialise(struct heap_window *ret_window, struct address_space *space,
                            const struct heap_settings *settings)
{
    struct virt_addr base = settings->base;
    kernel_assert(page_is_aligned(base.value) && page_is_aligned(settings->window_bytes) &&
                  page_is_aligned(settings->limit_bytes) && settings->window_bytes != 0);
    *ret_window = (struct heap_window){.space = space,
                                       .base = base,
                                       .step_bytes = settings->window_bytes,
                                       .limit_bytes = settings->limit_bytes,
                                       .window_bytes = settings->window_bytes};

    uint64_t end = base.value + settings->limit_bytes;
    address_space_add_area(space, (struct range){base.value, end}, "heap");
    address_space_add_guard(space, (struct range){base.value - PAGE_SIZE_BYTES, base.value},
                            "heap window's start", false);
    address_space_add_guard(space, (struct range){end, end + PAGE_SIZE_BYTES}, "heap window's end",
                            false);
}

struct heap_page_source heap_window_page_source(struct heap_window *window)
{
    return (struct heap_page_source){.context = window, .grow = grow, .shrink = shrink};
}
