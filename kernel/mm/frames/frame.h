/*
 * frame.h - the numbers of frames, and their addresses.
 *
 * Frame n has the 4 KiB from address n * 4096 on. Pure.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_H
#define KERNEL_MM_FRAMES_FRAME_H

#include <stdint.h>

#include "shared/address.h"
#include "shared/range.h"

#define FRAME_SIZE_BYTES PAGE_SIZE_BYTES

static inline struct phys_addr frame_address(uint64_t frame)
{
    return phys_addr(frame * FRAME_SIZE_BYTES);
}

/* Return the frame that has the byte at `address`. */
static inline uint64_t frame_at(struct phys_addr address)
{
    return address.value / FRAME_SIZE_BYTES;
}

/* Precondition: the range is aligned to frames. */
static inline struct frame_range frames_of(struct phys_range bytes)
{
    return frame_range(frame_at(bytes.start), frame_at(bytes.end));
}

/* Return the whole frames in any range. The result is reversed if the range has no whole frame. */
static inline struct frame_range frames_within(struct phys_range bytes)
{
    uint64_t cut = page_is_aligned(bytes.start.value) ? 0 : 1;
    return frame_range(frame_at(bytes.start) + cut, frame_at(bytes.end));
}

#endif
