/*
 * fake_machine.h - a PC's memory on the host: regions, frames, a loaded kernel and a framebuffer.
 *
 *   0x0            frame 0, reserved             0x3000000     runtime code, runtime data, ACPI NVS
 *   0x1000         usable                        0xc0000000    framebuffer, 8 MiB
 *   0x100000       usable, 47 MiB, with          0xff000000    flash, MMIO with EFI_MEMORY_RUNTIME
 *   0x801000       the kernel's image in it      0x100000000   usable, 4 MiB
 *
 * The frame allocator is the real one. A test can allocate frames until only a chosen number is
 * free. So every n-th allocation can fail without a change of code.
 */
#ifndef TESTS_UNIT_SUPPORT_FAKE_MACHINE_H
#define TESTS_UNIT_SUPPORT_FAKE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"

#define FAKE_MACHINE_IMAGE_BASE        UINT64_C(0x801000)
#define FAKE_MACHINE_RUNTIME_CODE_BASE UINT64_C(0x3000000)
#define FAKE_MACHINE_RUNTIME_DATA_BASE UINT64_C(0x3010000)
#define FAKE_MACHINE_FRAMEBUFFER_BASE  UINT64_C(0xc0000000)
#define FAKE_MACHINE_FRAMEBUFFER_BYTES UINT64_C(0x800000)
#define FAKE_MACHINE_FLASH_BASE        UINT64_C(0xff000000)
#define FAKE_MACHINE_FLASH_BYTES       UINT64_C(0x400000)

struct fake_machine {
    uint8_t *memory; /* physical address p is at memory + p */
    struct handoff_region regions[16];
    size_t region_count;
    struct frame_allocator frames;
    struct frame_reserve reserve;
    struct kernel_segment segments[4];
    struct address_space_plan plan;
    struct address_space_environment environment;
    struct phys_addr *taken; /* by fake_machine_leave_frames() */
    size_t taken_count;
    unsigned invalidate_count;
    uint64_t free_count_at_invalidate;
    unsigned shoot_down_count;
    uint64_t shot_down_start; /* of the last call, like the next three */
    uint64_t shot_down_size_bytes;
    unsigned invalidate_count_at_shoot_down;
    uint64_t free_count_at_shoot_down;
};

/* Four levels, 1 GiB pages, NX, write-combining, 46 physical bits. Aborts on any failure. */
void fake_machine_create(struct fake_machine *machine);
void fake_machine_destroy(struct fake_machine *machine);

/* Allocate frames until `count` are free; free all of them. */
void fake_machine_leave_frames(struct fake_machine *machine, uint64_t count);
void fake_machine_return_frames(struct fake_machine *machine);

/* Return the number of frames that a request can get, from the allocator or from the reserve. */
uint64_t fake_machine_free_count(const struct fake_machine *machine);

/* Return a hash of every mapping in the tables. It is equal before and after a call that changes
 * nothing. */
uint64_t fake_machine_mapping_hash(const struct page_table *table);

#endif
