/*
 * guard.h - which address space the fault handlers ask for the names of guard pages.
 *
 * A fault handler has no argument to pass state in, so this is one of the few places with a global.
 */
#ifndef KERNEL_CORE_GUARD_H
#define KERNEL_CORE_GUARD_H

#include "kernel/mm/paging/address_space.h"

/* From now on faults are judged by the guards of `space`, which must outlive the kernel. */
void guard_use(const struct address_space *space);

/* The guard page range that contains an address; NULL if there is none. */
const struct address_space_guard *guard_find(struct virt_addr address);

/* Say which of the heap's guarded blocks an access to a page that is not there was about; who
 * allocated and freed it are notes of the panic to come. `access` is what was done: "write to".
 * False, and `text` not written, if the address is not where such blocks lie. */
bool guard_describe_block(struct virt_addr address, const char *access, char *text,
                          size_t capacity_bytes);

#endif
