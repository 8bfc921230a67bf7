#include "lessons/bump_bench.h"

#include "lessons/bump_words.h"

#define FENCE_BYTE 0xfe

static void fill_fence(uint8_t *start)
{
    for (unsigned i = 0; i < BENCH_FENCE_BYTES; i++)
        start[i] = FENCE_BYTE;
}

void bench_open(struct bench *bench)
{
    blocks_begin(&bench->blocks);
    drawing_begin(&bench->shape, bench->size_bytes);
    if (bench->size_bytes <= DRAWING_CELL_COUNT)
        bench->shape.smallest_cell_bytes = 1;
    bench->used_bytes = 0;
    if (bench->has_fence) {
        fill_fence(bench->start - BENCH_FENCE_BYTES);
        fill_fence(bench->start + bench->size_bytes);
    }
    bench_select(bench);
}

void bench_select(const struct bench *bench)
{
    bench->judge->memory = bench->start;
    bench->judge->size_bytes = bench->size_bytes;
}

bool bench_place(const struct bench *bench, struct bench_request request, uint64_t *ret_offset)
{
    uint64_t free = (uint64_t)(uintptr_t)bench->start + bench->used_bytes;
    uint64_t gap_bytes = (0 - free) & (request.alignment_bytes - 1);
    uint64_t left_bytes = bench->size_bytes - bench->used_bytes;
    *ret_offset = bench->used_bytes + gap_bytes;
    return gap_bytes <= left_bytes && request.size_bytes <= left_bytes - gap_bytes;
}

void bench_draw(const struct bench *bench)
{
    struct drawing drawing = bench->shape;
    drawing_mark(&drawing, bench->used_bytes, "free");
    judge_draw(bench->judge, &drawing);
}

/* The bytes around the heap are not the reader's. */
static bool check_fence(const struct bench *bench)
{
    const uint8_t *end = bench->start + bench->size_bytes;
    for (unsigned i = 0; bench->has_fence && i < BENCH_FENCE_BYTES; i++) {
        if (bench->start[-1 - (int)i] != FENCE_BYTE)
            return words_fence(bench, bench->start - 1 - i);
        if (end[i] != FENCE_BYTE)
            return words_fence(bench, end + i);
    }
    return true;
}

bool bench_begun(struct bench *bench, const struct bump_heap *heap)
{
    if (!words_begun(bench, heap) || !check_fence(bench))
        return false;
    bench_draw(bench);
    return true;
}

bool bench_unchanged(struct bench *bench, const struct bump_heap *heap)
{
    return words_limits(bench, heap) && words_free(bench, heap) && check_fence(bench) &&
           (blocks_check(bench->judge, &bench->blocks) || words_content(bench));
}

/* The block is right: write it down, and fill it if it is real. */
static char take(struct bench *bench, uint64_t offset, uint64_t size_bytes, bool is_named)
{
    char name = '*';
    if (is_named && bench->has_memory)
        name = blocks_add(&bench->blocks, bench->start + offset, size_bytes);
    drawing_add(&bench->shape, bench->used_bytes, offset, DRAWING_GAP);
    drawing_add(&bench->shape, offset, offset + size_bytes, name);
    bench->used_bytes = offset + size_bytes;
    return name;
}

bool bench_allocated_again(struct bench *bench, const struct bump_heap *heap, void *address,
                           struct bench_request request)
{
    uint64_t offset = 0;
    bench_place(bench, request, &offset);
    if (!words_address(bench, address, request, offset))
        return false;
    /* A heap of many blocks has one piece in the drawing, which grows. */
    struct drawing *shape = &bench->shape;
    if (shape->piece_count > 0 && shape->pieces[shape->piece_count - 1].sign == '*')
        shape->pieces[shape->piece_count - 1].end_bytes = offset + request.size_bytes;
    else
        drawing_add(shape, bench->used_bytes, offset + request.size_bytes, '*');
    bench->used_bytes = offset + request.size_bytes;
    return bench_unchanged(bench, heap);
}

bool bench_allocated(struct bench *bench, const struct bump_heap *heap, void *address,
                     struct bench_request request)
{
    uint64_t offset = 0;
    bench_place(bench, request, &offset);
    if (!words_address(bench, address, request, offset))
        return false;
    uint64_t gap_bytes = offset - bench->used_bytes;
    char name = take(bench, offset, request.size_bytes, true);
    words_block(bench, name, offset, gap_bytes);
    if (!bench_unchanged(bench, heap))
        return false;
    bench_draw(bench);
    return true;
}
