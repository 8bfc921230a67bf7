/*
 * layout.h - where x86-64 has the areas of the kernel's address space (kernel/mm/layout.h).
 *
 *   ffffffff80000000  kernel image: text r-x, rodata r--, data and bss rw-; symbols r--
 *   ffffff0000000000  the loader's window for the entry stack (gone once CR3 is the kernel's)
 *   ffffe00000000000  kernel stacks, each with an unmapped page below it
 *   ffffdf0000000000  nothing, but for the self-test
 *   ffffd80000000000  device registers, uncached, each mapping with an unmapped page below it
 *   ffffd40000000000  guarded heap, at a random address here: blocks between unmapped pages
 *   ffffd00000000000  heap window, at a random address here (16 MiB at first; unmapped pages before
 *                     and behind it)
 *   ffff800000000000  direct map: physical address p at its base + p, never executable; rw-, but
 *                     r-- where the image's text and constants are. With five levels of tables it
 *                     is at ff00000000000000 (shared/arch/x86_64/direct_map.h)
 *   0000000000000000  nothing: a null pointer faults. While an EFI runtime service is called, a
 *                     second root with the same upper half has the firmware's regions here
 *
 * Everything but the direct map is at the same place with four and with five levels. The image is
 * in the upper 2 GiB because it is compiled for the code model "kernel" (System V x86-64 psABI
 * 3.5.1), whose addresses are sign-extended from 32 bits.
 */
#ifndef KERNEL_ARCH_X86_64_LAYOUT_H
#define KERNEL_ARCH_X86_64_LAYOUT_H

#include <stdint.h>

#define LAYOUT_HEAP_WINDOW_BASE UINT64_C(0xffffd00000000000)
#define LAYOUT_HEAP_WINDOW_END  UINT64_C(0xffffd40000000000)

#define LAYOUT_GUARDED_HEAP_BASE UINT64_C(0xffffd40000000000)
#define LAYOUT_GUARDED_HEAP_END  UINT64_C(0xffffd80000000000)

#define LAYOUT_DEVICES_BASE UINT64_C(0xffffd80000000000)
#define LAYOUT_DEVICES_END  UINT64_C(0xffffdf0000000000)

#define LAYOUT_SELF_TEST_BASE UINT64_C(0xffffdf0000000000)

#define LAYOUT_STACKS_BASE UINT64_C(0xffffe00000000000)

/* Of the loader's; it ends where the image's 2 GiB begin. */
#define LAYOUT_LOADER_WINDOW_BASE UINT64_C(0xffffff0000000000)

#define LAYOUT_KERNEL_IMAGE_BASE UINT64_C(0xffffffff80000000)

#endif
