/*
 * frame_word.h - private to the frame allocator and its reserves: 64 frames that leave the
 * allocator's bits together.
 *
 * A word that is out is empty in the bit tree. Its owner has the bits instead, and allocates frames
 * from them without the allocator. Such frames are `cached`: neither free nor used. The allocator
 * knows all words that may be out. It returns them to the tree before it refuses a request, and
 * before it checks a free of a frame in one of them.
 *
 * Pure. Concurrency: the caller serialises all calls.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_WORD_H
#define KERNEL_MM_FRAMES_FRAME_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/frames/bit_tree.h"
#include "shared/range.h"

struct frame_allocator;

struct frame_word {
    struct frame_word *next; /* in the allocator's list */
    uint64_t first_frame;    /* a multiple of 64 */
    uint64_t first_bit;      /* its number in the tree */
    uint64_t taken_bits;     /* frames that came from the allocator; 0: the word is not out */
    uint64_t free_bits;      /* those of them that are not allocated */
};

/* Add an empty word to the allocator's list. It must not move while the allocator is in use. */
void frame_word_register(struct frame_allocator *allocator, struct frame_word *word);

/* Fill an empty word with the free frames of one word of the tree. Return false if no frame is
 * free. */
bool frame_word_take(struct frame_allocator *allocator, struct frame_word *word)
    __attribute__((warn_unused_result));

/* Return the frames of every word to the tree. Return false if there were no frames. */
bool frame_word_return_all(struct frame_allocator *allocator);

/* Return the words that have one of these frames to the tree. The bits are then correct for these
 * frames, and no word that is out has a bit in the tree. */
void frame_word_return_overlapping(struct frame_allocator *allocator, struct frame_range frames);

/* Return true if the bit is in a word that is out, or was out. `word` is the first of the list. */
static inline bool frame_word_is_out(const struct frame_word *word, uint64_t bit)
{
    while (word != NULL && bit - word->first_bit >= BIT_TREE_WORD_BITS)
        word = word->next;
    return word != NULL;
}

/* Return the number of frames in all words. */
uint64_t frame_word_cached_count(const struct frame_allocator *allocator);

#endif
