/*
 * direct_map_window.h - where x86-64 has the direct map (shared/direct_map.h).
 *
 *                four levels            five levels
 *   base         ffff800000000000       ff00000000000000       the first address of the upper half
 *   limit        64 TiB                 4 PiB                  of the physical addresses in it
 *
 * 64 TiB is what four levels have room for beside the other windows (kernel/arch/x86_64/windows.h);
 * 4 PiB (2^52) is all that a page-table entry can name (Intel SDM Vol. 3A, 4.1.4).
 */
#ifndef SHARED_ARCH_X86_64_DIRECT_MAP_WINDOW_H
#define SHARED_ARCH_X86_64_DIRECT_MAP_WINDOW_H

#include <stdint.h>

#define DIRECT_MAP_BASE_4_LEVELS UINT64_C(0xffff800000000000)
#define DIRECT_MAP_BASE_5_LEVELS UINT64_C(0xff00000000000000)

#define DIRECT_MAP_LIMIT_BYTES_4_LEVELS (UINT64_C(64) << 40)
#define DIRECT_MAP_LIMIT_BYTES_5_LEVELS (UINT64_C(4) << 50)

#endif
