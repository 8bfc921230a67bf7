#include "kernel/mm/frames/frame_reserve.h"

#include "kernel/core/panic.h"
#include "kernel/mm/frames/frame_allocator.h"

void frame_reserve_open(struct frame_reserve *reserve, struct frame_allocator *frames)
{
    reserve->frames = frames;
    frame_word_register(frames, &reserve->word);
}

bool frame_reserve_allocate(struct frame_reserve *reserve, struct phys_addr *ret_frame)
{
    struct frame_word *word = &reserve->word;
    if (word->free_bits == 0 && !frame_word_take(reserve->frames, word))
        return false;
    uint64_t bit = BIT_TREE_WORD_BITS - 1 - (uint64_t)__builtin_clzll(word->free_bits);
    word->free_bits ^= UINT64_C(1) << bit;
    *ret_frame = frame_address(word->first_frame + bit);
    return true;
}

void frame_reserve_free(struct frame_reserve *reserve, struct phys_addr frame)
{
    struct frame_word *word = &reserve->word;
    uint64_t offset = frame.value - frame_address(word->first_frame).value;
    uint64_t bit = UINT64_C(1) << offset / FRAME_SIZE_BYTES % BIT_TREE_WORD_BITS;
    if (offset >= BIT_TREE_WORD_BITS * FRAME_SIZE_BYTES || !page_is_aligned(offset) ||
        (word->taken_bits & bit) == 0) {
        frame_allocator_free(reserve->frames, frame);
        return;
    }
    if ((word->free_bits & bit) != 0)
        panic(PANIC_FRAME_FREE, "double free of frame 0x%llx", (unsigned long long)frame.value);
    word->free_bits |= bit;
}
