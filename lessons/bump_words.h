/*
 * bump_words.h - compare a bump heap, and say in a sentence what is wrong.
 *
 * Each returns whether all is right. If not, it has said what is wrong, and has given a hint.
 */
#ifndef LESSONS_BUMP_WORDS_H
#define LESSONS_BUMP_WORDS_H

#include "lessons/bump_bench.h"

bool words_begun(const struct bench *bench, const struct bump_heap *heap);
bool words_address(const struct bench *bench, const struct bump_heap *heap, const void *address,
                   struct bench_request request, uint64_t offset);
bool words_limits(const struct bench *bench, const struct bump_heap *heap);
bool words_free(const struct bench *bench, const struct bump_heap *heap);

/* Always false: a byte was written, around the heap, in its free part, or in a block. */
bool words_fence(const struct bench *bench, const uint8_t *address);
bool words_touched(const struct bench *bench, const uint8_t *address);
bool words_content(const struct bench *bench);

/* "b = heap_start + 5 (address 0x...048), behind a gap of 3 bytes". */
void words_block(const struct bench *bench, char name, uint64_t offset, uint64_t gap_bytes);

/* The bench's own hint if it has one, otherwise this. Return false. */
bool words_hint(const struct bench *bench, const char *hint);

#endif
