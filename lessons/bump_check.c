#include "lessons/bump_check.h"

#include "lessons/bump_words.h"

/* The free bytes were filled at the beginning. Nothing may have written to them since. */
static bool check_untouched(const struct bench *bench)
{
    for (uint64_t i = bench->used_bytes; bench->is_untouched && i < bench->size_bytes; i++)
        if (bench->start[i] != BENCH_FENCE_BYTE)
            return words_touched(bench, bench->start + i);
    return true;
}

/* The bytes around the heap are not the reader's. */
static bool check_fence(const struct bench *bench)
{
    const uint8_t *end = bench->start + bench->size_bytes;
    for (unsigned i = 0; bench->has_fence && i < BENCH_FENCE_BYTES; i++) {
        if (bench->start[-1 - (int)i] != BENCH_FENCE_BYTE)
            return words_fence(bench, bench->start - 1 - i);
        if (end[i] != BENCH_FENCE_BYTE)
            return words_fence(bench, end + i);
    }
    return true;
}

bool bump_begun(struct bench *bench, const struct bump_heap *heap)
{
    if (!words_begun(bench, heap) || !check_fence(bench) || !check_untouched(bench))
        return false;
    bench_draw(bench);
    return true;
}

bool bump_unchanged(struct bench *bench, const struct bump_heap *heap)
{
    return words_limits(bench, heap) && words_free(bench, heap) && check_fence(bench) &&
           check_untouched(bench) &&
           (blocks_check(bench->judge, &bench->blocks) || words_content(bench));
}

bool bump_allocated_again(struct bench *bench, const struct bump_heap *heap, void *address,
                          struct bench_request request)
{
    uint64_t offset = 0;
    bench_place(bench, request, &offset);
    if (!words_address(bench, heap, address, request, offset))
        return false;
    bench_take_again(bench, offset, request.size_bytes);
    return bump_unchanged(bench, heap);
}

bool bump_allocated(struct bench *bench, const struct bump_heap *heap, void *address,
                    struct bench_request request)
{
    uint64_t offset = 0;
    bench_place(bench, request, &offset);
    if (!words_address(bench, heap, address, request, offset) || !check_untouched(bench))
        return false;
    uint64_t gap_bytes = offset - bench->used_bytes;
    char name = bench_take(bench, offset, request.size_bytes);
    words_block(bench, name, offset, gap_bytes);
    if (!bump_unchanged(bench, heap))
        return false;
    bench_draw(bench);
    return true;
}
