/* Stage A: the heap takes back its newest block, and refuses every other address. */
#include "lessons/lesson_07_stages.h"

/* Of a heap that has room for BLOCK_LIMIT small blocks, each with OVERHEAD_LIMIT_BYTES. */
#define LARGER_BYTES 8192u

typedef unsigned long long number;

static uint64_t used_end(const struct arena *arena)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < arena->blocks.count; i++) {
        const struct block *block = &arena->blocks.list[i];
        if (block->live && arena_offset(arena, block) + block->size_bytes > end)
            end = arena_offset(arena, block) + block->size_bytes;
    }
    return end;
}

static void draw(const struct arena *arena)
{
    struct drawing drawing;
    drawing_begin(&drawing, arena->judge->size_bytes);
    drawing.whole = true;
    blocks_draw(arena->judge, &arena->blocks, &drawing);
    drawing_add(&drawing, 0, used_end(arena), DRAWING_GAP); /* between the blocks */
    judge_draw(arena->judge, &drawing);
}

static void *call_allocate(struct arena *arena, uint64_t size_bytes)
{
    judge_call(arena->judge, "lifo_allocate(%llu)", (number)size_bytes);
    void *block = lesson_07.lifo_allocate(size_bytes);
    judge_returned(arena->judge);
    return block;
}

static bool has_room(const struct arena *arena, uint64_t size_bytes)
{
    uint64_t used_bytes = used_end(arena) + OVERHEAD_LIMIT_BYTES;
    return used_bytes <= arena->judge->size_bytes &&
           size_bytes <= arena->judge->size_bytes - used_bytes;
}

static bool wrong_null(struct arena *arena)
{
    if (used_end(arena) == 0)
        judge_wrong(arena->judge, "%s returned NULL, but nothing is in use", arena->judge->call);
    else
        judge_wrong(arena->judge, "%s returned NULL, but the blocks in use end at +%llu of +%llu",
                    arena->judge->call, (number)used_end(arena), (number)arena->judge->size_bytes);
    return judge_hint(arena->judge, "%s",
                      arena->blocks.count == 0
                          ? "lesson 5 has the code for a block; this one has a record before it"
                          : "lifo_free() must give the memory of its block back");
}

/* Allocate a block for which there must be room. */
static bool allocate(struct arena *arena, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    uint64_t end = used_end(arena);
    void *address = call_allocate(arena, size_bytes);
    if (address == NULL)
        return wrong_null(arena);
    if (!blocks_accept(judge, &arena->blocks, address, size_bytes, BLOCK_ALIGNMENT_BYTES))
        return judge_hint(judge, "the next block begins behind the newest one and its own record, "
                                 "rounded up to 16");
    uint64_t start = (uint64_t)((uint8_t *)address - judge->memory);
    if (start < end)
        return judge_wrong(judge, "%s returned +%llu, but the newest block ends at +%llu",
                           judge->call, (number)start, (number)end) ||
               judge_hint(judge, "a last-in-first-out heap grows in one direction");
    if (start - end > OVERHEAD_LIMIT_BYTES)
        return judge_wrong(judge,
                           "%s returned +%llu. The blocks in use end at +%llu, so %llu "
                           "bytes are lost",
                           judge->call, (number)start, (number)end, (number)(start - end)) ||
               judge_hint(judge, "is the memory of freed blocks, with their records, free again?");
    if (!arena_check(arena))
        return false;
    draw(arena);
    return true;
}

static bool refuse_allocation(struct arena *arena, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    char place[JUDGE_TEXT_BYTES];
    void *address = call_allocate(arena, size_bytes);
    if (address == NULL) {
        judge_say(judge, "NULL, as it must");
        return arena_check(arena);
    }
    judge_wrong(judge, "%s returned %s. It must return NULL", judge->call,
                judge_place(judge, address, place));
    if (size_bytes == 0)
        return judge_hint(judge, "a request of 0 bytes is refused");
    if (size_bytes > UINT64_MAX / 2)
        return judge_hint(judge, "a sum with so large a number becomes small. Compare before you "
                                 "add");
    return judge_hint(judge, "the blocks in use end at +%llu: record and block together do not fit",
                      (number)used_end(arena));
}

static bool check_answer(struct arena *arena, bool answer, bool expected, const char *reason)
{
    if (answer != expected) {
        judge_wrong(arena->judge, "%s returned %s: %s", arena->judge->call,
                    answer ? "true" : "false", reason);
        return judge_hint(arena->judge, "%s",
                          expected ? "which block is the newest after a free? The record of the "
                                     "freed block must say it. It lies before the block, where no "
                                     "user writes"
                                   : "compare the address with the newest block before you free");
    }
    judge_say(arena->judge, "%s, as it must: %s", answer ? "true" : "false", reason);
    if (!arena_check(arena))
        return false;
    draw(arena);
    return true;
}

/* Free a block that is the newest one. */
static bool free_newest(struct arena *arena, char name)
{
    struct block block = *blocks_find(&arena->blocks, name);
    blocks_release(&arena->blocks, name);
    judge_call(arena->judge, "lifo_free(%c)", name);
    bool answer = lesson_07.lifo_free(block.start);
    judge_returned(arena->judge);
    return check_answer(arena, answer, true, "it is the newest block");
}

static bool refuse_free(struct arena *arena, void *address, const char *name, const char *reason)
{
    judge_call(arena->judge, "lifo_free(%s)", name);
    bool answer = lesson_07.lifo_free(address);
    judge_returned(arena->judge);
    return check_answer(arena, answer, false, reason);
}

static uint8_t *start_of(struct arena *arena, char name)
{
    return blocks_find(&arena->blocks, name)->start;
}

/* Allocate after a free, where a block of this size was: the heap must be as it was before. */
static bool allocate_again(struct arena *arena, char name)
{
    struct judge *judge = arena->judge;
    struct block before = *blocks_find(&arena->blocks, name);
    unsigned index = arena->blocks.count;
    if (!allocate(arena, before.size_bytes))
        return false;
    struct block *again = &arena->blocks.list[index];
    if (again->start == before.start)
        return true;
    judge_wrong(judge, "%s returned +%llu, but block %c of the same size, now free, was at +%llu",
                judge->call, (number)arena_offset(arena, again), name,
                (number)arena_offset(arena, &before));
    return judge_hint(judge,
                      "after lifo_free() the heap is as it was before that block, its record "
                      "included. A refused call changes nothing");
}

static bool free_one_by_one(struct arena *arena)
{
    if (!allocate(arena, 40) || !allocate(arena, 100) || !allocate(arena, 24))
        return false;
    uint8_t *a = start_of(arena, 'a');
    uint8_t *b = start_of(arena, 'b');
    uint8_t *c = start_of(arena, 'c');
    return refuse_free(arena, b, "b", "c is newer than b") && allocate(arena, 56) &&
           free_newest(arena, 'd') && free_newest(arena, 'c') &&
           refuse_free(arena, c, "c", "c was freed before") && allocate_again(arena, 'c') &&
           free_newest(arena, 'e') && free_newest(arena, 'b') &&
           refuse_free(arena, a + 16, "a + 16", "no block begins there") &&
           refuse_free(arena, NULL, "NULL", "NULL is no block") && allocate_again(arena, 'b') &&
           free_newest(arena, 'f') && free_newest(arena, 'a') &&
           refuse_free(arena, a, "a", "a was freed before") &&
           refuse_free(arena, NULL, "NULL", "NULL is no block") && allocate_again(arena, 'a') &&
           free_newest(arena, 'g');
}

/* The contract puts the record before its block. So the block at the start shows its size, and a
 * block that ends at heap_end must fit. */
static bool use_all(struct arena *arena)
{
    uint64_t record_bytes = arena_offset(arena, blocks_find(&arena->blocks, 'a'));
    uint64_t size_bytes =
        arena->judge->size_bytes - (record_bytes == 16 ? record_bytes : OVERHEAD_LIMIT_BYTES);
    void *address = call_allocate(arena, size_bytes);
    if (address == NULL)
        return judge_wrong(arena->judge,
                           "%s returned NULL, but record and block have exactly the size of the "
                           "heap, in which nothing is in use",
                           arena->judge->call) ||
               judge_hint(arena->judge,
                          "a block can end at heap_end: it uses the byte before that");
    if (!blocks_accept(arena->judge, &arena->blocks, address, size_bytes, BLOCK_ALIGNMENT_BYTES) ||
        !arena_check(arena))
        return false;
    draw(arena);
    return free_newest(arena, 'h');
}

static bool refuse_sizes(struct arena *arena)
{
    uint64_t heap_bytes = arena->judge->size_bytes;
    return refuse_allocation(arena, 0) && refuse_allocation(arena, heap_bytes + 1) &&
           refuse_allocation(arena, UINT64_MAX) && refuse_allocation(arena, UINT64_MAX - 15) &&
           refuse_allocation(arena, UINT64_MAX - 31);
}

/* Fill the heap, and empty it from the end. The request that finds no room is as large as all that
 * is left: a heap that forgets the record puts a block over heap_end. */
static bool fill_and_empty(struct arena *arena)
{
    unsigned first = arena->blocks.count;
    while (has_room(arena, 100))
        if (!allocate(arena, 100))
            return false;
    uint64_t end = (used_end(arena) + BLOCK_ALIGNMENT_BYTES - 1) / BLOCK_ALIGNMENT_BYTES *
                   BLOCK_ALIGNMENT_BYTES;
    uint64_t left_bytes = arena->judge->size_bytes - end;
    bool has_record = blocks_find(&arena->blocks, 'a')->start != arena->judge->memory;
    if (!refuse_allocation(arena, left_bytes + BLOCK_ALIGNMENT_BYTES) ||
        (has_record && !refuse_allocation(arena, left_bytes)))
        return false;
    for (unsigned i = arena->blocks.count; i > first; i--)
        if (!free_newest(arena, arena->blocks.list[i - 1].name))
            return false;
    return refuse_free(arena, arena->blocks.list[first].start, "the first block again",
                       "nothing is in use");
}

static bool begin(struct arena *arena, struct judge *judge, uint8_t *all, uint64_t size_bytes)
{
    arena_begin(arena, judge, all, size_bytes);
    judge_call(judge, "lifo_begin(memory, %llu)", (number)judge->size_bytes);
    lesson_07.lifo_begin(judge->memory, judge->size_bytes);
    judge_returned(judge);
    return arena_check(arena);
}

static bool stack_and_unstack(struct arena *arena)
{
    for (unsigned i = 0; i < BLOCK_LIMIT; i++)
        if (!allocate(arena, 1 + i % 40))
            return false;
    for (unsigned i = BLOCK_LIMIT; i > 0; i--)
        if (!free_newest(arena, arena->blocks.list[i - 1].name))
            return false;
    return true;
}

/* So many blocks that a fixed table of the newest ones is too small. Right calls have no number. */
static bool use_many_blocks(struct arena *arena, struct judge *judge, uint8_t *all)
{
    unsigned step = judge->step;
    judge_say(judge, "now %u small blocks at once, in a larger heap", BLOCK_LIMIT);
    judge->quiet = true;
    bool right = begin(arena, judge, all, LARGER_BYTES) && stack_and_unstack(arena);
    judge->quiet = false;
    if (right)
        judge->step = step;
    else
        judge_hint(judge,
                   "this heap has up to %u blocks at once: is there a table of a fixed size in "
                   "your code? The records lie in the heap",
                   BLOCK_LIMIT);
    return right;
}

bool lesson_07_run_lifo(struct judge *judge, uint8_t *all)
{
    static struct arena arena; /* too large for a kernel's stack */
    return begin(&arena, judge, all, ARENA_SMALL_BYTES) && free_one_by_one(&arena) &&
           use_all(&arena) && refuse_sizes(&arena) && fill_and_empty(&arena) &&
           use_many_blocks(&arena, judge, all);
}
