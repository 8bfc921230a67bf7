/*
 * address_space.h - the kernel's own page tables (kernel/mm/layout.h has the areas).
 *
 *   image        text r-x, rodata r--, data and bss rw-: writable or executable, never both
 *   direct map   all RAM, never executable, with the largest pages that fit; rw-, but r-- over the
 *                read-only parts of the image: no frame is both writable and executable anywhere.
 *                The framebuffer is write-combining
 *   stacks       rw-, an unmapped page below and above each
 *   devices      rw-, uncached, an unmapped page below and above each
 *   heap window  filled later by heap_window.h
 *   page 0       never mapped
 *
 * Table pages and stack frames come from the calling CPU's frame reserve. They are reached through
 * the caller's `access`: in the kernel the direct map, in a host test fake memory. Building is
 * pure; the caller makes the tables live (kernel/arch.h).
 *
 * address_space.c builds it and maps frames and stacks; address_space_device.c and
 * address_space_area.c have the sections of their names.
 *
 * Phase: after the frame allocator. Concurrency: the caller serialises.
 */
#ifndef KERNEL_MM_PAGING_ADDRESS_SPACE_H
#define KERNEL_MM_PAGING_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/handoff.h"
#include "shared/page_table.h"
#include "shared/range.h"

struct frame_reserve;

/* A piece of the kernel's image with one set of permissions. */
struct kernel_segment {
    const char *name;          /* "text", "rodata", … */
    struct virt_range virtual; /* page-aligned */
    bool write;
    bool execute;
};

/* The kernel's image as it was linked and loaded: one block of physical pages. The caller fills it
 * from the linker's symbols, so this file does not depend on them. */
struct kernel_layout {
    struct virt_addr virtual_base;
    struct phys_addr physical_base; /* of virtual_base */
    const struct kernel_segment *segments;
    size_t segment_count;
};

/* Return the physical addresses of a part of the image. Precondition: `virtual` lies in the
 * image. */
struct phys_range kernel_layout_physical(const struct kernel_layout *layout,
                                         struct virt_range virtual);

/* The input of the build. The regions and segments must stay valid until the build is complete. */
struct address_space_plan {
    struct page_table_features features;
    struct kernel_layout layout;
    const struct handoff_region *regions; /* normalised (shared/handoff.h) */
    size_t region_count;
    struct phys_range framebuffer; /* page-aligned; empty for none */
};

/* The functions and data that an address space needs, as long as it is used. */
struct address_space_environment {
    void *context; /* passed to all callbacks unchanged */
    /* The frame reserve of the calling CPU. Single frames and tables come from there. */
    struct frame_reserve *(*reserve)(void *context);
    /* Return the address at which the page at `page` can be read and written. Never NULL for a page
     * of the frame allocator. */
    void *(*access)(void *context, struct phys_addr page);
    /* Drop translations on this CPU (arch_invalidate_pages); NULL on a host. */
    void (*invalidate)(void *context, struct virt_addr start, uint64_t size_bytes);
    /* The same on every other CPU that runs on these tables. It returns when all CPUs have done it.
     * It is called directly after `invalidate`, before a frame or table of the range becomes free.
     * NULL while there is no other CPU. */
    void (*shoot_down)(void *context, struct virt_addr start, uint64_t size_bytes);
    /* The barrier of page_table_memory.publish; NULL on a CPU that needs none, and on a host. */
    void (*publish)(void *context);
};

/* A range of addresses with an owner, mapped or not. */
struct address_space_area {
    struct virt_range virtual;
    const char *name;           /* of its owner: "text", "main stack" (a constant) */
    bool is_through_direct_map; /* for "text", which is also mapped at its own address */
    struct phys_range device;   /* of whole pages; empty for any other area */
};
#define ADDRESS_SPACE_AREA_LIMIT 64

/* Pages that stay unmapped on purpose. */
struct address_space_guard {
    struct virt_range virtual;
    const char *name; /* of the area that overflows into it: "main stack" (a constant) */
    bool is_stack;
};
#define ADDRESS_SPACE_GUARD_LIMIT 16

/* After its initialisation it must not move, since the callbacks of its tables point to it. */
struct address_space {
    struct page_table table;
    struct address_space_environment environment;
    struct virt_range direct_map;     /* the window; only RAM is mapped in it */
    struct virt_addr next_stack;      /* the place of the next stack's lower guard page */
    struct virt_addr next_device;     /* the place of the page below the next device */
    struct phys_addr direct_map_end;  /* one past the highest physical address that is mapped */
    uint64_t direct_map_mapped_bytes; /* RAM in the direct map */
    struct address_space_guard guards[ADDRESS_SPACE_GUARD_LIMIT];
    size_t guard_count;
    struct address_space_area areas[ADDRESS_SPACE_AREA_LIMIT];
    size_t area_count;
};

/* --- Build ------------------------------------------------------------------------------------ */

/* Build the tables: image and direct map. Page 0 stays unmapped and counts as a guard page. RAM
 * beyond direct_map_limit() is not mapped; a framebuffer there is PHYSICAL_TOO_HIGH. An image that
 * does not lie in RAM is NOT_MAPPED. Failures: those of page_table_map(). Then all frames are free
 * again, and *space cannot be used. The tables are live only after the caller has loaded the roots
 * of space->table. */
enum page_table_status address_space_build(struct address_space *space,
                                           const struct address_space_plan *plan,
                                           const struct address_space_environment *environment)
    __attribute__((warn_unused_result));

/* Free all tables (not the stacks' frames). Precondition: they are not live. */
void address_space_destroy(struct address_space *space);

/* --- Frames behind addresses ------------------------------------------------------------------ */

/* Map a new stack of `size_bytes` (a multiple of the page) in the stacks' window, with an unmapped
 * page below and above. Register the page below as guard `name` (kept by reference). *ret_top is
 * one past its highest byte, 16-byte aligned. Failures: EMPTY, UNALIGNED, NO_MEMORY; nothing is
 * then changed, in the tables or the frame allocator. */
enum page_table_status address_space_map_stack(struct address_space *space, const char *name,
                                               uint64_t size_bytes, struct virt_addr *ret_top)
    __attribute__((warn_unused_result));

/* Map `page_count` frames of the frame allocator at `start`, readable and writable, as pages of the
 * smallest size. Failures: those of page_table_map(); then nothing is changed. */
enum page_table_status address_space_map_frames(struct address_space *space, struct virt_addr start,
                                                uint64_t page_count)
    __attribute__((warn_unused_result));

/* Unmap pages of address_space_map_frames(), and free their frames. Panic (assertion) if one of
 * them is not mapped by a page of the smallest size. */
void address_space_unmap_frames(struct address_space *space, struct virt_addr start,
                                uint64_t page_count);

/* --- Devices ---------------------------------------------------------------------------------- */

/* Map the registers or the memory of a device, writable, never executable, with an unmapped page
 * below and above, and name them (kept by reference). Neither base nor size need to be aligned:
 * whole pages around them are mapped, with large pages where that is possible.
 *   memory_type  UNCACHED for registers, WRITE_COMBINING for memory that is only written
 *   ret_virtual  where the byte at `physical` is seen
 * Failures; nothing is then changed:
 *   EMPTY
 *   PHYSICAL_TOO_HIGH  also if the range wraps
 *   MEMORY_TYPE        write-back, or a part is RAM or the framebuffer, which the direct map has
 *   ALREADY_MAPPED     a page belongs to a mapped device: two drivers of one page have to share
 *   NO_MEMORY          also without free areas or addresses */
enum page_table_status address_space_map_device(struct address_space *space, const char *name,
                                                struct phys_addr physical, uint64_t size_bytes,
                                                enum page_memory_type memory_type,
                                                struct virt_addr *ret_virtual)
    __attribute__((warn_unused_result));

/* Unmap a device. `virtual` is the address from address_space_map_device(). Its addresses are not
 * used again, so a driver that still uses them faults. Panic (assertion) for any other address. */
void address_space_unmap_device(struct address_space *space, struct virt_addr virtual);

/* --- Guards and areas ------------------------------------------------------------------------- */

/* Register pages that must stay unmapped. Panic (assertion) if there are more than
 * ADDRESS_SPACE_GUARD_LIMIT. */
void address_space_add_guard(struct address_space *space, struct virt_range virtual,
                             const char *name, bool is_stack);

/* Register the owner of a range. If areas overlap, the newest is found. Panic (assertion) if there
 * are more than ADDRESS_SPACE_AREA_LIMIT. */
void address_space_add_area(struct address_space *space, struct virt_range virtual,
                            const char *name);

/* Return the area that contains an address, or NULL. */
const struct address_space_area *address_space_find_area(const struct address_space *space,
                                                         struct virt_addr address);

/* Return the guard pages that contain an address, or NULL. */
const struct address_space_guard *address_space_find_guard(const struct address_space *space,
                                                           struct virt_addr address);

#endif
