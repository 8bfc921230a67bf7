/*
 * frame_reserve.h - up to 64 frames that one CPU has for itself.
 *
 * Every CPU owns one reserve. It holds one word of the allocator's bits (frame_word.h). To allocate
 * is to clear a bit of the word, to free is to set one, and no other code looks at it. Once in 64
 * frames the reserve asks the allocator for another word. The callers serialise those calls, as all
 * calls of the allocator. A second CPU is a second instance.
 *
 * A frame in a reserve is neither free nor used: frame_allocator_statistics() counts it as cached.
 * The allocator takes the word back if it has no other frame, and if a frame of the word is freed
 * through the allocator. So every frame can be allocated, and every bad free is found.
 *
 * Phase: after frame_allocator_initialise(). Pure. Catalogue group F.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_RESERVE_H
#define KERNEL_MM_FRAMES_FRAME_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/frames/frame_word.h"
#include "shared/address.h"

struct frame_allocator;

/* Private to the implementation. */
struct frame_reserve {
    struct frame_allocator *frames;
    struct frame_word word;
};

/* Start an empty reserve. It must stay where it is as long as the allocator. */
void frame_reserve_open(struct frame_reserve *reserve, struct frame_allocator *frames);

/* Allocate one frame; its content is not defined. False if neither reserve nor allocator has one.
 */
bool frame_reserve_allocate(struct frame_reserve *reserve, struct phys_addr *ret_frame)
    __attribute__((warn_unused_result));

/* Free one frame, wherever it came from. Panics as frame_allocator_free(). */
void frame_reserve_free(struct frame_reserve *reserve, struct phys_addr frame);

#endif
