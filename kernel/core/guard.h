/*
 * guard.h - the guard pages and guarded blocks that a faulting address belongs to.
 *
 * A fault handler has no argument to pass state in, so this is one of the few places with a global.
 */
#ifndef KERNEL_CORE_GUARD_H
#define KERNEL_CORE_GUARD_H

#include "kernel/mm/paging/address_space.h"

/* From now on faults are compared with the guards of `space`, which must outlive the kernel. */
void guard_use(const struct address_space *space);

/* The guard pages that contain an address; NULL if no guard does. */
const struct address_space_guard *guard_find(struct virt_addr address);

/* Describe the guarded block of the heap that an access to an unmapped page was aimed at. The
 * callers that allocated and freed it become notes of the next panic. `access` is the kind of the
 * access: "write to". False, and `text` not written, for an address outside of the guarded heap. */
bool guard_describe_block(struct virt_addr address, const char *access, char *text,
                          size_t capacity_bytes);

#endif
