#include "tests/bench/frames/flat_bitmap.h"

#include <string.h>

void flat_bitmap_initialise(struct flat_bitmap *bitmap, void *memory, uint64_t frame_count)
{
    *bitmap = (struct flat_bitmap){.words = memory, .word_count = frame_count / 64};
    memset(memory, 0xff, frame_count / 8);
}

bool flat_bitmap_get(struct flat_bitmap *bitmap, uint64_t *ret_frame)
{
    for (uint64_t i = 0; i < bitmap->word_count; i++) {
        uint64_t index = bitmap->next_word;
        uint64_t word = bitmap->words[index];
        if (word != 0) {
            bitmap->words[index] = word & (word - 1);
            *ret_frame = index * 64 + (uint64_t)__builtin_ctzll(word);
            return true;
        }
        bitmap->next_word = index + 1 < bitmap->word_count ? index + 1 : 0;
    }
    return false;
}

bool flat_bitmap_put(struct flat_bitmap *bitmap, uint64_t frame)
{
    uint64_t bit = UINT64_C(1) << frame % 64;
    if ((bitmap->words[frame / 64] & bit) != 0)
        return false;
    bitmap->words[frame / 64] |= bit;
    return true;
}

static bool is_free(const struct flat_bitmap *bitmap, uint64_t frame)
{
    return (bitmap->words[frame / 64] >> frame % 64 & 1) != 0;
}

bool flat_bitmap_get_run(struct flat_bitmap *bitmap, uint64_t count, uint64_t alignment,
                         uint64_t *ret_first)
{
    uint64_t frame_count = bitmap->word_count * 64;
    for (uint64_t first = 0; first + count <= frame_count;) {
        uint64_t length = 0;
        while (length < count && is_free(bitmap, first + length))
            length++;
        if (length == count) {
            for (uint64_t i = first; i < first + count; i++)
                bitmap->words[i / 64] &= ~(UINT64_C(1) << i % 64);
            *ret_first = first;
            return true;
        }
        first = (first + length + alignment) & ~(alignment - 1);
    }
    return false;
}
