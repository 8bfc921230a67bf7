/*
 * layout.h - the kernel's address space, in one picture.
 *
 *   ffffffff80000000  kernel image: text r-x, rodata r--, data and bss rw-; symbols r--
 *   ffffff0000000000  the loader's window for the entry stack (gone once CR3 is the kernel's)
 *   ffffe00000000000  kernel stacks, each with an unmapped page below it
 *   ffffd00000000000  heap window (16 MiB by default; unmapped pages before and behind)
 *   ffff800000000000  direct map: physical address p at DIRECT_MAP_BASE + p, rw-, never executable
 *   0000000000000000  nothing: a null pointer faults. While an EFI runtime service is called, a
 *                     second root with the same upper half has the firmware's regions here
 *
 * The direct map's base is the loader's (handoff.direct_map_base), which is what lets early-heap
 * pointers survive the switch of tables; it must equal this one.
 */
#ifndef KERNEL_MM_LAYOUT_H
#define KERNEL_MM_LAYOUT_H

#include <stdint.h>

#define LAYOUT_DIRECT_MAP_BASE UINT64_C(0xffff800000000000)
/* 64 TiB: what a 4-level address space has room for beside the other windows. */
#define LAYOUT_DIRECT_MAP_LIMIT_BYTES (UINT64_C(64) << 40)

#define LAYOUT_HEAP_WINDOW_BASE       UINT64_C(0xffffd00000000000)
#define LAYOUT_HEAP_WINDOW_SIZE_BYTES (UINT64_C(16) << 20)

#define LAYOUT_STACKS_BASE      UINT64_C(0xffffe00000000000)
#define LAYOUT_STACK_SIZE_BYTES (UINT64_C(64) << 10)

#define LAYOUT_KERNEL_IMAGE_BASE UINT64_C(0xffffffff80000000)

#endif
