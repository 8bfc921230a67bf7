/*
 * direct_map.h - where physical memory is seen: address p at direct_map_base() + p.
 *
 * The loader's first tables and the kernel's own have it at the same place, which is what lets
 * pointers into it survive the switch. Where that is, and how much fits, depends on the CPU and on
 * its levels of page tables: shared/arch/<cpu>/direct_map.h.
 *
 * Pure. Phase: any.
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

/* One past the highest physical address that the direct map can hold. */
static inline struct phys_addr direct_map_limit(unsigned levels)
{
    return phys_addr(levels == 5 ? DIRECT_MAP_LIMIT_BYTES_5_LEVELS
                                 : DIRECT_MAP_LIMIT_BYTES_4_LEVELS);
}

#endif
