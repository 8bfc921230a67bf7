/*
 * frame_reserve.h - up to 64 frames that only one CPU uses.
 *
 * Every CPU owns one reserve. It holds one word of the allocator's bits (frame_word.h). Allocating
 * clears a bit of the word, freeing sets one, and no other CPU looks at it. When the word is used
 * up, the reserve asks the allocator for another, once in 64 frames. The callers serialise those
 * calls, as all calls of the allocator. A second CPU has a second instance.
 *
 * The frames of a reserve are neither free nor used: frame_allocator_statistics() counts them
 * separately. The reserve returns its frames in two cases: the allocator runs out, or a caller
 * frees a frame of the word through the allocator. So every frame stays available, and every bad
 * free is detected.
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

/* Start an empty reserve. It must not move while the allocator is in use. */
void frame_reserve_open(struct frame_reserve *reserve, struct frame_allocator *frames);

/* Allocate one frame; its content is undefined. Return false if neither the reserve nor the
 * allocator has a frame.
 */
bool frame_reserve_allocate(struct frame_reserve *reserve, struct phys_addr *ret_frame)
    __attribute__((warn_unused_result));

/* Free one frame, also one that another CPU allocated. Panic as frame_allocator_free() does. */
void frame_reserve_free(struct frame_reserve *reserve, struct phys_addr frame);

#endif
