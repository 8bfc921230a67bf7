#include "lessons/lesson_04.h"

#include "lessons/blocks.h"

/* The order has large and small blocks, so a heap that moves `free` by a fixed amount fails. */
static const uint64_t sizes_bytes[] = {16, 32, 8, 64, 8};

static void draw(struct judge *judge, const struct blocks *blocks, const struct bump_heap *heap)
{
    struct drawing drawing;
    drawing_begin(&drawing, judge->size_bytes);
    blocks_draw(judge, blocks, &drawing);
    if (heap->free >= judge->memory)
        drawing_mark(&drawing, (uint64_t)(heap->free - judge->memory), "free");
    judge_draw(judge, &drawing);
}

static bool check_begin(struct judge *judge, const struct bump_heap *heap)
{
    char place[JUDGE_TEXT_BYTES];
    if (heap->heap_start != judge->memory)
        return judge_wrong(judge, "heap->heap_start is %s. It must be the address `memory`",
                           judge_place(judge, heap->heap_start, place));
    if (heap->heap_end != judge->memory + judge->size_bytes)
        return judge_wrong(judge, "heap->heap_end is %s. It must be memory + size_bytes",
                           judge_place(judge, heap->heap_end, place));
    if (heap->free != judge->memory)
        return judge_wrong(judge, "heap->free is %s. Nothing is in use yet, so it must be memory",
                           judge_place(judge, heap->free, place));
    return true;
}

static bool check_free(struct judge *judge, const struct bump_heap *heap, uint64_t used_bytes)
{
    char place[JUDGE_TEXT_BYTES];
    if (heap->free == judge->memory + used_bytes)
        return true;
    judge_wrong(judge, "after %s, heap->free is %s. %llu bytes are in use, so it must be +%llu",
                judge->call, judge_place(judge, heap->free, place), (unsigned long long)used_bytes,
                (unsigned long long)used_bytes);
    return judge_hint(judge,
                      "keep the old value of free for the caller, then add size_bytes to free");
}

static bool allocate_all(struct judge *judge, struct bump_heap *heap, struct blocks *blocks)
{
    uint64_t used_bytes = 0;
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++) {
        judge_call(judge, "allocate(%llu)", (unsigned long long)sizes_bytes[i]);
        void *address = lesson_04.allocate(heap, sizes_bytes[i]);
        judge_returned(judge);
        used_bytes += sizes_bytes[i];
        if (!blocks_accept(judge, blocks, address, sizes_bytes[i], 1) ||
            !check_free(judge, heap, used_bytes) || !blocks_check(judge, blocks))
            return false;
        draw(judge, blocks, heap);
    }
    return true;
}

bool lesson_04_run(struct judge *judge)
{
    struct bump_heap heap = {0};
    struct blocks blocks;
    blocks_begin(&blocks);
    judge_call(judge, "begin(memory, %llu)", (unsigned long long)judge->size_bytes);
    lesson_04.begin(&heap, judge->memory, judge->size_bytes);
    judge_returned(judge);
    if (!check_begin(judge, &heap))
        return false;
    draw(judge, &blocks, &heap);
    return allocate_all(judge, &heap, &blocks);
}
