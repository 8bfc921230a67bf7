/*
 * frame_machine.h - a machine for the tests of the frame allocator: its regions, an early heap, and
 * memory that exists only after its first use.
 */
#ifndef TESTS_UNIT_SUPPORT_FRAME_MACHINE_H
#define TESTS_UNIT_SUPPORT_FRAME_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/frames/frame_allocator.h"

#define FRAME_MACHINE_ROWS_MAX         1024
#define FRAME_MACHINE_EARLY_HEAP_BYTES (1024U * 1024U)

struct frame_machine {
    struct handoff_region rows[FRAME_MACHINE_ROWS_MAX];
    struct region_list regions;
    unsigned char *early_heap_region;
    struct early_heap early_heap;
    unsigned char *memory; /* NULL if the records fit into the early heap */
    uint64_t memory_size_bytes;
    struct virt_addr direct_map_base;
    struct frame_allocator frames;
};

/* Make a machine without regions. This function and the next six abort on any failure. */
struct frame_machine *frame_machine_create(void);
void frame_machine_destroy(struct frame_machine *machine);

/* Add a row above the existing rows. */
void frame_machine_add(struct frame_machine *machine, uint64_t base, uint64_t size_bytes,
                       uint32_t type);

/* Make a usual small machine; in frames: a hole, RAM of several holders, a hole of the firmware,
 * MMIO. */
struct frame_machine *frame_machine_create_small(void);
#define FRAME_MACHINE_SMALL_FREE_AT_FIRST (159 + 7680 + 10)
#define FRAME_MACHINE_SMALL_TOTAL         (160 + 7680 + 808 + 100 + 64 + 16 + 10)

/* Give the machine real, sparse memory at [end - size_bytes, end), for records in usable RAM; or at
 * [0, size_bytes). */
void frame_machine_add_memory_below(struct frame_machine *machine, uint64_t end,
                                    uint64_t size_bytes);
void frame_machine_add_memory(struct frame_machine *machine, uint64_t size_bytes);

/* Initialise the allocator, with an early heap for the records or NULL. */
enum frame_allocator_status frame_machine_start(struct frame_machine *machine,
                                                struct early_heap *early_heap)
    __attribute__((warn_unused_result));

/* The same with the machine's early heap, which has room. Abort if the allocator refuses, or fails
 * its check. */
struct frame_allocator *frame_machine_start_or_abort(struct frame_machine *machine);

/* Return the range of bytes from `base` on. */
struct phys_range frame_machine_bytes(uint64_t base, uint64_t size_bytes);

/* Allocate single frames until no frame is left. Keep the first `capacity` in taken[]. Return the
 * number of frames. */
uint64_t frame_machine_exhaust(struct frame_allocator *frames, struct phys_addr *taken,
                               uint64_t capacity);

/* Return true if all bytes lie in rows that are free at entry, and not in frame 0. */
bool frame_machine_is_usable(const struct frame_machine *machine, struct phys_addr base,
                             uint64_t size_bytes);

/* Return the problem in the allocator's records or statistics, or NULL. */
const char *frame_machine_problem(const struct frame_allocator *frames);

/* Check that every row of the map is listed completely and once, and that the frames of all states
 * add up to the total. Return the problem, or NULL. */
const char *frame_machine_ownership_problem(const struct frame_machine *machine);

#endif
