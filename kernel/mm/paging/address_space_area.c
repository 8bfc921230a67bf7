/*
 * address_space_area.c - the areas of an address space, and its guard pages.
 */
#include "kernel/core/panic.h"
#include "kernel/mm/paging/address_space.h"

void address_space_add_guard(struct address_space *space, struct virt_range virtual,
                             const char *name, bool is_stack)
{
    kernel_assert(space->guard_count < ADDRESS_SPACE_GUARD_LIMIT);
    space->guards[space->guard_count++] =
        (struct address_space_guard){.virtual = virtual, .name = name, .is_stack = is_stack};
}

const struct address_space_guard *address_space_find_guard(const struct address_space *space,
                                                           struct virt_addr address)
{
    for (size_t i = 0; i < space->guard_count; i++) {
        if (virt_range_contains_address(space->guards[i].virtual, address))
            return &space->guards[i];
    }
    return NULL;
}

void address_space_add_area(struct address_space *space, struct virt_range virtual,
                            const char *name)
{
    kernel_assert(space->area_count < ADDRESS_SPACE_AREA_LIMIT);
    space->areas[space->area_count++] =
        (struct address_space_area){.virtual = virtual, .name = name};
}

const struct address_space_area *address_space_find_area(const struct address_space *space,
                                                         struct virt_addr address)
{
    for (size_t i = space->area_count; i > 0; i--) {
        if (virt_range_contains_address(space->areas[i - 1].virtual, address))
            return &space->areas[i - 1];
    }
    return NULL;
}
