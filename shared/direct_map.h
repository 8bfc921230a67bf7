/*
 * direct_map.h - the place of the direct map: physical address p is mapped at direct_map_base() +
 * p.
 *
 * The bootstrap tables and the kernel's tables have it at the same place. So pointers into it stay
 * valid after the switch.
 *
 *                four levels            five levels
 *   base         ffff800000000000       ff00000000000000       the first address of the upper half
 *   limit        64 TiB                 4 PiB                  of the physical addresses in it
 *
 * With four levels, 64 TiB fit beside the other windows. 4 PiB (2^52) is the limit of a page-table
 * entry (Intel SDM Vol. 3A, 4.1.4).
 */
#ifndef SHARED_DIRECT_MAP_H
#define SHARED_DIRECT_MAP_H

#include <stdint.h>

#include "shared/address.h"

#if defined(__x86_64__)
#include "shared/arch/x86_64/direct_map.h"
#else
/* For a CPU without such a header the users of the direct map compile, and do not link. */
extern const uint64_t DIRECT_MAP_BASE_4_LEVELS;
extern const uint64_t DIRECT_MAP_BASE_5_LEVELS;
extern const uint64_t DIRECT_MAP_LIMIT_BYTES_4_LEVELS;
extern const uint64_t DIRECT_MAP_LIMIT_BYTES_5_LEVELS;
#endif

/* Where physical address 0 is, or would be, seen. `levels` of page tables: 4 or 5. */
static inline struct virt_addr direct_map_base(unsigned levels)
{
    return virt_addr(levels == 5 ? DIRECT_MAP_BASE_5_LEVELS : DIRECT_MAP_BASE_4_LEVELS);
}

/* Return one past the highest physical address that the direct map can hold. */
static inline uint64_t direct_map_limit_bytes(unsigned levels)
{
    return phys_addr(levels == 5 ? DIRECT_MAP_LIMIT_BYTES_5_LEVELS
                                 : DIRECT_MAP_LIMIT_BYTES_4_LEVELS);
}

#endif
