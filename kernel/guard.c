#include "kernel/guard.h"

static const struct address_space *guarded_space;

void guard_use(const struct address_space *space)
{
    guarded_space = space;
}

const struct address_space_guard *guard_find(struct virt_addr address)
{
    if (guarded_space == NULL)
        return NULL;
    return address_space_find_guard(guarded_space, address);
}
