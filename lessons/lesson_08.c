#include "lessons/lesson_08.h"

#include "lessons/lesson_08_count.h"

#define HEAP_BYTES 768u
#define CALLS      500u

typedef unsigned long long number;

static bool allocate(struct lesson_08_count *count, uint64_t size_bytes)
{
    struct judge *judge = count->judge;
    unsigned index = lesson_08_heap_allocate(&count->heap, size_bytes);
    count->failed = index == LESSON_08_PIECE_LIMIT;
    if (count->failed) {
        judge_call(judge, "allocate(%llu) gets NULL: count_failure(statistics, %llu)",
                   (number)size_bytes, (number)size_bytes);
        lesson_08.count_failure(&count->reader, size_bytes);
        count->expected.failed_count++;
    } else {
        uint64_t piece_bytes = count->heap.pieces[index].size_bytes;
        judge_call(judge, "%c = allocate(%llu): count_allocation(statistics, %llu, %llu)",
                   count->heap.names[index], (number)size_bytes, (number)size_bytes,
                   (number)piece_bytes);
        lesson_08.count_allocation(&count->reader, size_bytes, piece_bytes);
        count->expected.allocation_count++;
    }
    judge_returned(judge);
    return lesson_08_compare(count);
}

static bool free_piece(struct lesson_08_count *count, unsigned index)
{
    struct judge *judge = count->judge;
    uint64_t requested_bytes = count->heap.requested_bytes[index];
    uint64_t piece_bytes = count->heap.pieces[index].size_bytes;
    count->failed = false;
    judge_call(judge, "free(%c): count_free(statistics, %llu, %llu)", count->heap.names[index],
               (number)requested_bytes, (number)piece_bytes);
    lesson_08.count_free(&count->reader, requested_bytes, piece_bytes);
    judge_returned(judge);
    lesson_08_heap_free(&count->heap, index);
    return lesson_08_compare(count);
}

static bool free_block(struct lesson_08_count *count, char name)
{
    return free_piece(count, lesson_08_heap_find(&count->heap, name));
}

static bool free_all(struct lesson_08_count *count)
{
    for (unsigned i = 0; i < count->heap.count; i++)
        if (count->heap.pieces[i].used && !free_piece(count, i))
            return false;
    return count->heap.count == 1 || free_all(count);
}

/* After the second refusal more bytes are free than were asked for, but not in one piece. */
static bool named_steps(struct lesson_08_count *count)
{
    return allocate(count, 100) && allocate(count, 40) && allocate(count, 200) &&
           allocate(count, 100) && allocate(count, 64) && allocate(count, 200) &&
           free_block(count, 'b') && free_block(count, 'd') && allocate(count, 200) &&
           free_block(count, 'c') && allocate(count, 200) && allocate(count, 176) &&
           allocate(count, 128) && allocate(count, 1) && free_block(count, 'f') &&
           allocate(count, 0) && allocate(count, UINT64_MAX) && free_all(count);
}

/* A fixed sequence that looks like chance: xorshift. */
static uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool random_calls(struct lesson_08_count *count)
{
    struct judge *judge = count->judge;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    judge_say(judge, "now %u calls in an order that looks like chance, the same in each run",
              CALLS);
    judge->quiet = true;
    bool right = true;
    for (unsigned i = 0; right && i < CALLS; i++) {
        unsigned index = (unsigned)(chance(&state) % 16);
        if (index < count->heap.count && count->heap.pieces[index].used)
            right = free_piece(count, index);
        else
            right = allocate(count, 1 + chance(&state) % 300);
    }
    right = right && free_all(count);
    judge->quiet = false;
    return right;
}

bool lesson_08_run(struct judge *judge)
{
    static struct lesson_08_count count;
    count = (struct lesson_08_count){.judge = judge};
    judge->size_bytes = HEAP_BYTES; /* so the bar shows all of the heap */
    lesson_08_heap_begin(&count.heap, HEAP_BYTES);
    return named_steps(&count) && random_calls(&count);
}
