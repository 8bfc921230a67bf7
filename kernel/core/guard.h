/*
 * guard.h - find the guard pages or the guarded block to which a faulting address belongs.
 *
 * A fault handler has no argument to pass state in, so this is one of the few places with a global.
 */
#ifndef KERNEL_CORE_GUARD_H
#define KERNEL_CORE_GUARD_H

#include "kernel/mm/paging/address_space.h"

/* Compare faults with the guards of `space` from now on. `space` must stay valid for ever. */
void guard_use(const struct address_space *space);

/* Return the guard pages that contain an address, or NULL. */
const struct address_space_guard *guard_find(struct virt_addr address);

/* Describe the guarded block of the heap that an access to an unmapped page was meant for. The
 * callers that allocated and freed it become notes of the next panic. `access` is the kind of the
 * access: "write to". Return false, and do not write `text`, for an address outside of the guarded
 * heap. */
bool guard_describe_block(struct virt_addr address, const char *access, char *text,
                          size_t capacity_bytes);

#endif
