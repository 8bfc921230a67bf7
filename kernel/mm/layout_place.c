#include "kernel/mm/layout_place.h"

#include <stddef.h>

#include "kernel/mm/layout.h"

const char *layout_place(struct virt_addr address, unsigned levels)
{
    /* The list goes from the top down. An area ends where the area before it in the list begins. */
    const struct {
        uint64_t base;
        const char *name;
    } parts[] = {
        {LAYOUT_KERNEL_IMAGE_BASE, "the kernel image"},
        {LAYOUT_LOADER_WINDOW_BASE, "the window of the loader's stack"},
        {LAYOUT_STACKS_BASE, "the kernel's stacks"},
        {LAYOUT_SELF_TEST_BASE, "the self-test's window"},
        {LAYOUT_DEVICES_BASE, "the window of device registers"},
        {LAYOUT_GUARDED_HEAP_BASE, "the guarded heap's window"},
        {LAYOUT_HEAP_WINDOW_BASE, "the heap's window"},
        {direct_map_base(levels).value, "the direct map"},
        {0, "the lower half, which the kernel does not use"},
    };
    size_t i = 0;
    while (address.value < parts[i].base)
        i++;
    return parts[i].name;
}
