/*
 * frame_reserve.h - up to 64 frames that one CPU has for itself.
 *
 * Every CPU owns one of these. It holds one word of the allocator's bits (frame_word.h): allocating
 * is to clear a bit of it, freeing into it to set one, and nobody else looks at it. Only when the
 * word is used up the allocator is asked for another, once in 64 frames; those calls the callers
 * serialise, as all calls of the allocator. A second CPU is a second instance.
 *
 * What a reserve holds is neither free nor used: frame_allocator_statistics() counts it apart. If
 * the allocator runs out, or somebody frees a frame of the word through the allocator, the reserve
 * is emptied back into it; so no frame is ever out of reach and every bad free is found.
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
