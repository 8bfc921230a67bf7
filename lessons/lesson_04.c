#include "lessons/lesson_04.h"

#include "lessons/bump_bench.h"
#include "lessons/bump_check.h"

#define MANY 500u

static const uint64_t sizes_bytes[] = {16, 32, 8, 64, 3, 0, 1};

static bool begin(struct bench *bench, struct bump_heap *heap, const char *name)
{
    bench_open(bench);
    judge_call(bench->judge, "begin(%smemory, %llu)", name, (unsigned long long)bench->size_bytes);
    lesson_04.begin(heap, bench->start, bench->size_bytes);
    judge_returned(bench->judge);
    return bump_begun(bench, heap);
}

static bool allocate(struct bench *bench, struct bump_heap *heap, const char *name,
                     uint64_t size_bytes)
{
    bench_select(bench);
    judge_call(bench->judge, "allocate(%s%llu)", name, (unsigned long long)size_bytes);
    void *address = lesson_04.allocate(heap, size_bytes);
    judge_returned(bench->judge);
    return bump_allocated(bench, heap, address, (struct bench_request){size_bytes, 1});
}

/* So many calls that a fixed table in the reader's code is too small, with all sizes up to 40. */
static bool allocate_many(struct bench *bench, struct bump_heap *heap)
{
    bench->hint = "this is one of many calls. A bump heap needs no table of its blocks, and treats "
                  "the last call like the first";
    judge_call(bench->judge, "allocate(1) to allocate(40), %u calls", MANY);
    judge_returned(bench->judge);
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t size_bytes = 1 + i * 7 % 40;
        judge_call_again(bench->judge, "allocate(%llu)", (unsigned long long)size_bytes);
        void *address = lesson_04.allocate(heap, size_bytes);
        judge_returned(bench->judge);
        if (!bump_allocated_again(bench, heap, address, (struct bench_request){size_bytes, 1}))
            return false;
    }
    bench->hint = NULL;
    judge_say(bench->judge, "* = these blocks");
    bench_draw(bench);
    return true;
}

static bool run_one_heap(struct bench *bench)
{
    struct bump_heap heap = {0};
    if (!begin(bench, &heap, ""))
        return false;
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
        if (!allocate(bench, &heap, "", sizes_bytes[i]))
            return false;
    return allocate_many(bench, &heap) &&
           allocate(bench, &heap, "", bench->size_bytes - bench->used_bytes);
}

/* Two heaps in turn: a solution with a global variable, in place of the heap's struct, mixes them.
 * Neither begins at the memory's start, and neither struct is zero before begin(). */
static bool run_two_heaps(struct bench *first, struct bench *second)
{
    struct bump_heap one = {second->start, second->start, second->start + 9};
    struct bump_heap two = {first->start, first->start, first->start + 9};
    judge_say(first->judge, "Now two heaps at once, in two other places.");
    if (!begin(first, &one, "first, ") || !begin(second, &two, "second, ") ||
        !allocate(first, &one, "first, ", 24) || !allocate(second, &two, "second, ", 5) ||
        !allocate(second, &two, "second, ", 40) || !allocate(first, &one, "first, ", 16))
        return false;
    judge_say(first->judge, "And begin() once more for the first one: it is empty again.");
    first->hint = "begin() makes the heap empty, whatever was in its struct before";
    return begin(first, &one, "first, ") && allocate(first, &one, "first, ", 96) &&
           allocate(second, &two, "second, ", 51);
}

bool lesson_04_run(struct judge *judge)
{
    static const char hint[] =
        "two heaps are in use at once. Keep everything in the heap's struct, "
        "nothing in a global or static variable";
    uint8_t *memory = judge->memory;
    struct bench whole = {
        .judge = judge, .start = memory, .size_bytes = judge->size_bytes, .has_memory = true};
    struct bench first = {.judge = judge, .start = memory + 1000, .size_bytes = 96};
    first.hint = hint;
    first.has_memory = true;
    first.has_fence = true;
    first.is_untouched = true;
    struct bench second = first;
    second.start = memory + 5001;
    return run_one_heap(&whole) && run_two_heaps(&first, &second);
}
