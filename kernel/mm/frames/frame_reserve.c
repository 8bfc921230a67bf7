#include "kernel/mm/frames/frame_reserve.h"

#include "kernel/core/panic.h"

void frame_reserve_open(struct frame_reserve *reserve, struct frame_allocator *frames)
{
    *reserve = (struct frame_reserve){.frames = frames, .next = frames->reserves};
    frames->reserves = reserve;
}

void frame_reserve_close(struct frame_reserve *reserve)
{
    struct frame_reserve **place = &reserve->frames->reserves;
    frame_allocator_return_word(reserve->frames, reserve);
    while (*place != reserve)
        place = &(*place)->next;
    *place = reserve->next;
}

bool frame_reserve_allocate(struct frame_reserve *reserve, struct phys_addr *ret_frame)
{
    if (reserve->free_bits == 0 && !frame_allocator_take_word(reserve->frames, reserve))
        return false;
    uint64_t bit = BIT_TREE_WORD_BITS - 1 - (uint64_t)__builtin_clzll(reserve->free_bits);
    reserve->free_bits ^= UINT64_C(1) << bit;
    *ret_frame = phys_addr((reserve->first_frame + bit) * FRAME_SIZE_BYTES);
    return true;
}

void frame_reserve_free(struct frame_reserve *reserve, struct phys_addr frame)
{
    uint64_t offset = frame.value - reserve->first_frame * FRAME_SIZE_BYTES;
    uint64_t bit = UINT64_C(1) << offset / FRAME_SIZE_BYTES % BIT_TREE_WORD_BITS;
    if (offset >= BIT_TREE_WORD_BITS * FRAME_SIZE_BYTES || !page_is_aligned(offset) ||
        (reserve->taken_bits & bit) == 0) {
        frame_allocator_free(reserve->frames, frame);
        return;
    }
    if ((reserve->free_bits & bit) != 0)
        panic(PANIC_FRAME_FREE, "double free of frame 0x%llx", (unsigned long long)frame.value);
    reserve->free_bits |= bit;
}

uint64_t frame_reserve_count(const struct frame_reserve *reserve)
{
    return (uint64_t)__builtin_popcountll(reserve->free_bits);
}
