#include "kernel/mm/frames/frame_word.h"

#include "kernel/core/panic.h"
#include "kernel/mm/frames/frame_allocator.h"

void frame_word_register(struct frame_allocator *allocator, struct frame_word *word)
{
    *word = (struct frame_word){.next = allocator->words};
    allocator->words = word;
}

static uint64_t count_free(const struct frame_word *word)
{
    return (uint64_t)__builtin_popcountll(word->free_bits);
}

bool frame_word_take(struct frame_allocator *allocator, struct frame_word *word)
{
    if (!bit_tree_take_last_word(&allocator->free_frames, &word->first_bit, &word->free_bits))
        return false;
    word->taken_bits = word->free_bits;
    word->first_frame = frame_records_frame_of_bit(&allocator->records, word->first_bit);
    allocator->free_count -= count_free(word);
    return true;
}

static void return_word(struct frame_allocator *allocator, struct frame_word *word)
{
    for (; word->free_bits != 0; word->free_bits &= word->free_bits - 1) {
        uint64_t offset = (uint64_t)__builtin_ctzll(word->free_bits);
        bool added = bit_tree_add(&allocator->free_frames, word->first_bit + offset);
        kernel_assert(added);
        allocator->free_count++;
    }
    word->taken_bits = 0;
}

bool frame_word_return_all(struct frame_allocator *allocator)
{
    uint64_t free_before = allocator->free_count;
    for (struct frame_word *i = allocator->words; i != NULL; i = i->next)
        return_word(allocator, i);
    return allocator->free_count > free_before;
}

void frame_word_return_overlapping(struct frame_allocator *allocator, struct frame_range frames)
{
    for (struct frame_word *i = allocator->words; i != NULL; i = i->next) {
        struct frame_range word = frame_range(i->first_frame, i->first_frame + BIT_TREE_WORD_BITS);
        if (frame_range_overlaps(word, frames))
            return_word(allocator, i);
    }
}

uint64_t frame_word_cached_count(const struct frame_allocator *allocator)
{
    uint64_t count = 0;
    for (const struct frame_word *i = allocator->words; i != NULL; i = i->next)
        count += count_free(i);
    return count;
}
