/*
 * fake_ram.h - the physical memory of a machine of any size, on the host.
 *
 * Physical address p is at base + p. Only pages that are written take memory of the host: the store
 * is a sparse file without a name, mapped as a whole. Other memory than the machine's RAM cannot be
 * accessed: a touch ends the simulator with the physical address (fake_ram_catch_stray_access()).
 * A page can be mapped at a second address, as page tables do it. So the heap's window consists of
 * the frames that the frame allocator gave.
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
    uint64_t size_bytes; /* one past the highest address that can ever be accessed */
    int store;
};

/* Addresses [0, size_bytes), a multiple of the page; nothing of it is RAM yet.
 * False if the host cannot: no memfd, or a limit on the address space. */
bool fake_ram_create(uint64_t size_bytes, struct fake_ram *ret_ram)
    __attribute__((warn_unused_result));
void fake_ram_destroy(struct fake_ram *ram);

/* This range is RAM. Precondition: page-aligned, inside the size.
 * False if the host has no room for so many separate pieces. */
bool fake_ram_add(struct fake_ram *ram, struct phys_range range)
    __attribute__((warn_unused_result));

/* The host's address of physical memory. Precondition: inside the size. */
void *fake_ram_at(const struct fake_ram *ram, struct phys_addr address);

/* Map one page of RAM at a second, page-aligned address, in place of any mapping there.
 * False if the host has no room for one more piece. */
bool fake_ram_map(const struct fake_ram *ram, struct phys_addr page, void *at)
    __attribute__((warn_unused_result));

/* Addresses that can be given to fake_ram_map(); a touch ends the simulator. NULL if the host
 * cannot.
 */
void *fake_ram_reserve(uint64_t size_bytes);
/* Take pages that fake_ram_map() put there away again. */
void fake_ram_unmap(void *at, uint64_t size_bytes);

/* Pages that have been written, in bytes of the host's memory. */
uint64_t fake_ram_resident_bytes(const struct fake_ram *ram);

/* From now on a touch of memory that is no RAM prints its address and ends the process with
 * `exit_status`. `ram` must stay. */
void fake_ram_catch_stray_access(const struct fake_ram *ram, int exit_status);

#endif
