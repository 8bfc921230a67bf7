/*
 * direct_map.h - all RAM at one fixed distance: physical address p is at direct_map_base() + p.
 *
 * The bootstrap tables and the kernel's own tables have it at the same place. So pointers into it
 * stay valid after the switch. Its place and its size depend on the CPU and on the levels of page
 * tables: shared/arch/<cpu>/direct_map.h.
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
/* For a CPU without such a header, the users of the direct map compile but do not link. */
extern const uint64_t DIRECT_MAP_BASE_4_LEVELS;
extern const uint64_t DIRECT_MAP_BASE_5_LEVELS;
extern const uint64_t DIRECT_MAP_LIMIT_BYTES_4_LEVELS;
extern const uint64_t DIRECT_MAP_LIMIT_BYTES_5_LEVELS;
#endif

/* Return the virtual address of physical address 0, mapped or not. `levels` of page tables: 4 or
 * 5. */
static inline struct virt_addr direct_map_base(unsigned levels)
{
    return virt_addr(levels == 5 ? DIRECT_MAP_BASE_5_LEVELS : DIRECT_MAP_BASE_4_LEVELS);
}

/* Return one past the highest physical address that the direct map can have. */
static inline struct phys_addr direct_map_limit(unsigned levels)
{
    return phys_addr(levels == 5 ? DIRECT_MAP_LIMIT_BYTES_5_LEVELS
                                 : DIRECT_MAP_LIMIT_BYTES_4_LEVELS);
}

#endif
