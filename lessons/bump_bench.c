#include "lessons/bump_bench.h"

static void fill(uint8_t *start, uint64_t size_bytes)
{
    for (uint64_t i = 0; i < size_bytes; i++)
        start[i] = BENCH_FENCE_BYTE;
}

void bench_open(struct bench *bench)
{
    blocks_begin(&bench->blocks);
    drawing_begin(&bench->shape, bench->size_bytes);
    if (bench->size_bytes <= DRAWING_CELL_COUNT)
        bench->shape.smallest_cell_bytes = 1;
    bench->used_bytes = 0;
    bench->previous_used_bytes = 0;
    bench->name_count = 0;
    if (bench->has_fence) {
        fill(bench->start - BENCH_FENCE_BYTES, BENCH_FENCE_BYTES);
        fill(bench->start + bench->size_bytes, BENCH_FENCE_BYTES);
    }
    if (bench->is_untouched)
        fill(bench->start, bench->size_bytes);
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

static uint64_t offset_of(const struct bench *bench, const void *address)
{
    return (uint64_t)(uintptr_t)address - (uint64_t)(uintptr_t)bench->start;
}

void bench_draw_wrong_block(const struct bench *bench, const void *address, uint64_t size_bytes)
{
    uint64_t offset = offset_of(bench, address);
    struct drawing drawing = bench->shape;
    drawing.piece_count = 0;
    drawing_add(&drawing, offset, offset + size_bytes, '!');
    for (unsigned i = 0; i < bench->shape.piece_count; i++)
        drawing_add(&drawing, bench->shape.pieces[i].start_bytes, bench->shape.pieces[i].end_bytes,
                    bench->shape.pieces[i].sign);
    judge_say(bench->judge, "! = the block that your code returned");
    judge_draw(bench->judge, &drawing);
}

void bench_draw_wrong_free(const struct bench *bench, const uint8_t *free)
{
    struct drawing drawing = bench->shape;
    drawing_mark(&drawing, offset_of(bench, free), "free");
    judge_draw(bench->judge, &drawing);
}

char bench_take(struct bench *bench, uint64_t offset, uint64_t size_bytes)
{
    char name = (char)('a' + bench->name_count++ % 26);
    if (bench->has_memory)
        blocks_add(&bench->blocks, bench->start + offset, size_bytes);
    drawing_add(&bench->shape, bench->used_bytes, offset, DRAWING_GAP);
    drawing_add(&bench->shape, offset, offset + size_bytes, name);
    bench->previous_used_bytes = bench->used_bytes;
    bench->used_bytes = offset + size_bytes;
    return name;
}

void bench_take_again(struct bench *bench, uint64_t offset, uint64_t size_bytes)
{
    struct drawing *shape = &bench->shape;
    if (shape->piece_count > 0 && shape->pieces[shape->piece_count - 1].sign == '*')
        shape->pieces[shape->piece_count - 1].end_bytes = offset + size_bytes;
    else
        drawing_add(shape, bench->used_bytes, offset + size_bytes, '*');
    bench->previous_used_bytes = bench->used_bytes;
    bench->used_bytes = offset + size_bytes;
}
