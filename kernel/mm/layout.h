/*
 * layout.h - the areas of the kernel's address space.
 *
 * From the lowest address of the upper half on, each area ends where the next one begins:
 *
 *   direct map    all physical memory (shared/direct_map.h)
 *   heap          the heap's window lies at a random address in it
 *   guarded heap  the same for the blocks that lie between unmapped pages
 *   devices       registers and memory of devices
 *   self-test     empty, except during the self-test
 *   stacks        kernel stacks
 *   loader        its entry stack and its image, until the kernel's own tables are live
 *   image         the kernel, where it was linked
 *
 * The lower half stays empty. The addresses depend on the CPU: kernel/arch/<cpu>/layout.h has the
 * picture with them.
 */
#ifndef KERNEL_MM_LAYOUT_H
#define KERNEL_MM_LAYOUT_H

#include <stdint.h>

#include "shared/direct_map.h"

#if defined(__x86_64__)
#include "kernel/arch/x86_64/layout.h"
#else
/* For a CPU without such a header, the users of the areas compile but do not link. */
extern const uint64_t LAYOUT_HEAP_WINDOW_BASE;
extern const uint64_t LAYOUT_HEAP_WINDOW_END;
extern const uint64_t LAYOUT_GUARDED_HEAP_BASE;
extern const uint64_t LAYOUT_GUARDED_HEAP_END;
extern const uint64_t LAYOUT_DEVICES_BASE;
extern const uint64_t LAYOUT_DEVICES_END;
extern const uint64_t LAYOUT_SELF_TEST_BASE;
extern const uint64_t LAYOUT_STACKS_BASE;
extern const uint64_t LAYOUT_LOADER_WINDOW_BASE;
extern const uint64_t LAYOUT_KERNEL_IMAGE_BASE;
#endif

/* With four levels. */
#define LAYOUT_DIRECT_MAP_BASE        DIRECT_MAP_BASE_4_LEVELS
#define LAYOUT_DIRECT_MAP_LIMIT_BYTES DIRECT_MAP_LIMIT_BYTES_4_LEVELS

#define LAYOUT_STACK_SIZE_BYTES (UINT64_C(64) << 10)

#endif
