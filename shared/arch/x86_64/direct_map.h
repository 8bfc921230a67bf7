/*
 * direct_map.h - where x86-64 has the direct map (shared/direct_map.h).
 *
 *                four levels            five levels
 *   base         ffff800000000000       ff00000000000000       the first address of the upper half
 *   limit        64 TiB                 4 PiB                  of the physical addresses in it
 *
 * Four levels have room for 64 TiB beside the other areas (kernel/arch/x86_64/layout.h). 4 PiB
 * (2^52) is the limit of a page-table entry (Intel SDM Vol. 3A, 4.1.4).
 */
#ifndef SHARED_ARCH_X86_64_DIRECT_MAP_H
#define SHARED_ARCH_X86_64_DIRECT_MAP_H

#include <stdint.h>

#define DIRECT_MAP_BASE_4_LEVELS UINT64_C(0xffff800000000000)
#define DIRECT_MAP_BASE_5_LEVELS UINT64_C(0xff00000000000000)

#define DIRECT_MAP_LIMIT_BYTES_4_LEVELS (UINT64_C(64) << 40)
#define DIRECT_MAP_LIMIT_BYTES_5_LEVELS (UINT64_C(4) << 50)

#endif
