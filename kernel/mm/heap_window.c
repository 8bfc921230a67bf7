#include "kernel/mm/heap_window.h"

#include "kernel/core/panic.h"
#include "shared/range.h"

static struct virt_addr end_of(const struct heap_window *window)
{
    return virt_addr_add(window->base, window->end_bytes);
}

/* Return the window's end for a heap of this size: a whole number of steps, or the limit. */
static uint64_t window_for(const struct heap_window *window, uint64_t end_bytes)
{
    uint64_t bytes = window->window_bytes;
    while (bytes < end_bytes)
        bytes += window->step_bytes;
    return bytes < window->limit_bytes ? bytes : window->limit_bytes;
}

uint64_t heap_window_mapped_bytes(const struct heap_window *window)
{
    return window->mapped_bytes + window->guarded_mapped_bytes;
}

/* Return how many bytes may still be mapped. */
static uint64_t room_bytes(const struct heap_window *window)
{
    return window->limit_bytes - heap_window_mapped_bytes(window);
}

static bool grow(void *context, size_t additional_bytes)
{
    struct heap_window *window = context;
    if (!page_is_aligned(additional_bytes) || additional_bytes > room_bytes(window) ||
        additional_bytes > window->limit_bytes - window->end_bytes)
        return false;
    if (address_space_map_frames(window->space, end_of(window),
                                 additional_bytes / PAGE_SIZE_BYTES) != PAGE_TABLE_OK)
        return false;
    window->mapped_bytes += additional_bytes;
    window->end_bytes += additional_bytes;
    window->window_bytes = window_for(window, window->end_bytes);
    return true;
}

static void unmap(struct heap_window *window, uint64_t offset_bytes, uint64_t bytes)
{
    kernel_assert(bytes <= window->mapped_bytes);
    window->mapped_bytes -= bytes;
    address_space_unmap_frames(window->space, virt_addr_add(window->base, offset_bytes),
                               bytes / PAGE_SIZE_BYTES);
}

static bool is_mapped(const struct heap_window *window, uint64_t offset_bytes)
{
    struct page_mapping mapping;
    return page_table_lookup(&window->space->table, virt_addr_add(window->base, offset_bytes),
                             &mapping) == PAGE_TABLE_OK;
}

/* Unmap the pages from `start_bytes` to `end_bytes` that are not absent. */
static void unmap_present(struct heap_window *window, uint64_t start_bytes, uint64_t end_bytes)
{
    uint64_t run_bytes = start_bytes;
    for (uint64_t page = start_bytes; page < end_bytes; page += PAGE_SIZE_BYTES) {
        if (is_mapped(window, page))
            continue;
        unmap(window, run_bytes, page - run_bytes);
        run_bytes = page + PAGE_SIZE_BYTES;
    }
    unmap(window, run_bytes, end_bytes - run_bytes);
}

static void shrink(void *context, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(page_is_aligned(bytes) && bytes <= window->end_bytes);
    bool has_absent = window->mapped_bytes != window->end_bytes;
    window->end_bytes -= bytes;
    if (has_absent)
        unmap_present(window, window->end_bytes, window->end_bytes + bytes);
    else
        unmap(window, window->end_bytes, bytes);
}

static bool is_inside(const struct heap_window *window, size_t offset_bytes, size_t bytes)
{
    return page_is_aligned(offset_bytes) && page_is_aligned(bytes) &&
           offset_bytes <= window->end_bytes && bytes <= window->end_bytes - offset_bytes;
}

static void discard(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(is_inside(window, offset_bytes, bytes));
    unmap(window, offset_bytes, bytes);
}

static bool restore(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(is_inside(window, offset_bytes, bytes));
    if (bytes > room_bytes(window) ||
        address_space_map_frames(window->space, virt_addr_add(window->base, offset_bytes),
                                 bytes / PAGE_SIZE_BYTES) != PAGE_TABLE_OK)
        return false;
    window->mapped_bytes += bytes;
    return true;
}

static bool make_usable(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(page_is_aligned(offset_bytes) && page_is_aligned(bytes) &&
                  offset_bytes < window->guarded_bytes &&
                  bytes <= window->guarded_bytes - offset_bytes);
    if (bytes > room_bytes(window) ||
        address_space_map_frames(window->space, virt_addr_add(window->guarded_base, offset_bytes),
                                 bytes / PAGE_SIZE_BYTES) != PAGE_TABLE_OK)
        return false;
    window->guarded_mapped_bytes += bytes;
    return true;
}

static void take_back(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_window *window = context;
    kernel_assert(page_is_aligned(offset_bytes) && page_is_aligned(bytes) &&
                  bytes <= window->guarded_mapped_bytes);
    address_space_unmap_frames(window->space, virt_addr_add(window->guarded_base, offset_bytes),
                               bytes / PAGE_SIZE_BYTES);
    window->guarded_mapped_bytes -= bytes;
}

/* Register the addresses [start, end) as an area, and the guard pages around them. */
static void register_window(struct address_space *space, uint64_t start, uint64_t end,
                            const char *name, const char *start_name, const char *end_name)
{
    address_space_add_area(space, virt_range(start, end), name);
    address_space_add_guard(space, virt_range(start - PAGE_SIZE_BYTES, start), start_name, false);
    address_space_add_guard(space, virt_range(end, end + PAGE_SIZE_BYTES), end_name, false);
}

void heap_window_initialise(struct heap_window *ret_window, struct address_space *space,
                            const struct heap_settings *settings)
{
    struct virt_addr base = settings->base;
    kernel_assert(page_is_aligned(base.value) && page_is_aligned(settings->window_bytes) &&
                  page_is_aligned(settings->limit_bytes) && settings->window_bytes != 0 &&
                  page_is_aligned(settings->guarded_base.value) &&
                  page_is_aligned(settings->guarded_bytes));
    *ret_window = (struct heap_window){.space = space,
                                       .base = base,
                                       .step_bytes = settings->window_bytes,
                                       .limit_bytes = settings->limit_bytes,
                                       .window_bytes = settings->window_bytes,
                                       .guarded_base = settings->guarded_base,
                                       .guarded_bytes = settings->guarded_bytes};

    register_window(space, base.value, base.value + settings->limit_bytes, "heap",
                    "heap window's start", "heap window's end");
    if (settings->guarded_bytes != 0)
        register_window(space, settings->guarded_base.value,
                        settings->guarded_base.value + settings->guarded_bytes, "guarded heap",
                        "guarded heap's start", "guarded heap's end");
}

struct heap_page_source heap_window_page_source(struct heap_window *window)
{
    /* fresh_bytes is NULL, since frames keep their old content. */
    return (struct heap_page_source){
        .context = window, .grow = grow, .shrink = shrink, .discard = discard, .restore = restore};
}

struct guarded_pages heap_window_guarded_pages(struct heap_window *window)
{
    return (struct guarded_pages){
        .context = window, .make_usable = make_usable, .take_back = take_back};
}
