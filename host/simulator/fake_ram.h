/*
 * fake_ram.h - the physical memory of a machine of any size, on the host.
 *
 * Physical address p is at base + p. Only pages that are written take memory of the host: the store
 * is a sparse file without a name, and all of it is mapped. Only the machine's RAM can be accessed.
 * Another access ends the simulator with the physical address (fake_ram_catch_stray_access()). A
 * page can be mapped at a second address, as with page tables. So the heap's window consists of
 * frames of the frame allocator.
 *
 * Needs Linux (memfd_create) and a 64-bit address space.
 */
#ifndef HOST_SIMULATOR_FAKE_RAM_H
#define HOST_SIMULATOR_FAKE_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/range.h"

struct fake_ram {
    uint8_t *base;
    uint64_t size_bytes; /* one past the highest address that can be accessed */
    int store;
};

/* Reserve the addresses [0, size_bytes), whole pages, without RAM. Return false if the host has no
 * memfd, or limits the address space. */
bool fake_ram_create(uint64_t size_bytes, struct fake_ram *ret_ram)
    __attribute__((warn_unused_result));
void fake_ram_destroy(struct fake_ram *ram);

/* Make this range RAM. Precondition: it is page-aligned and inside of the size. Return false if the
 * host allows no more separate mappings. */
bool fake_ram_add(struct fake_ram *ram, struct phys_range range)
    __attribute__((warn_unused_result));

/* Return the host's address of physical memory. Precondition: it is inside of the size. */
void *fake_ram_at(const struct fake_ram *ram, struct phys_addr address);

/* Map one page of RAM at a second, page-aligned address, and replace any mapping there. Return
 * false if the host allows no more separate mappings. */
bool fake_ram_map(const struct fake_ram *ram, struct phys_addr page, void *at)
    __attribute__((warn_unused_result));

/* Reserve addresses for fake_ram_map(). An access to them ends the simulator. Return NULL on
 * failure.
 */
void *fake_ram_reserve(uint64_t size_bytes);
/* Unmap pages that fake_ram_map() has mapped. */
void fake_ram_unmap(void *at, uint64_t size_bytes);

/* Return the size of all written pages, in bytes of the host's memory. */
uint64_t fake_ram_resident_bytes(const struct fake_ram *ram);

/* From now on, an access to memory that is not RAM prints its address and ends the process with
 * `exit_status`. `ram` must stay valid. */
void fake_ram_catch_stray_access(const struct fake_ram *ram, int exit_status);

#endif
