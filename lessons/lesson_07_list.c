/* Stage B: any block can be freed. Named steps in a heap that fits into the bar, then many calls. */
#include "lessons/lesson_07_pieces.h"
#include "lessons/lesson_07_stages.h"
#include "shared/text/format.h"

#define SMALL_CALLS 400u
#define LARGE_CALLS 600u

typedef unsigned long long number;

static uint64_t offset_of(const struct arena *arena, const void *address)
{
    return (uint64_t)((const uint8_t *)address - arena->judge->memory);
}

/* describe() must not change anything. */
static bool check_describe(struct arena *arena)
{
    struct judge *judge = arena->judge;
    char call[JUDGE_TEXT_BYTES];
    format_text(call, sizeof call, "%s", judge->call);
    format_text(judge->call, sizeof judge->call, "describe(), after %s,", call);
    bool right = arena_check(arena);
    format_text(judge->call, sizeof judge->call, "%s", call);
    return right;
}

/* Everything that has to hold after each call. */
static bool check(struct arena *arena)
{
    if (!arena_check(arena) || !pieces_read(arena) || !check_describe(arena))
        return false;
    arena_draw(arena);
    return true;
}

static bool begin(struct arena *arena, struct judge *judge, uint8_t *all, uint64_t size_bytes)
{
    arena_begin(arena, judge, all, size_bytes);
    judge_call(judge, "list_begin(memory, %llu)", (number)size_bytes);
    lesson_07.list_begin(judge->memory, size_bytes);
    judge_returned(judge);
    return check(arena);
}

static void remember(struct arena *arena, const struct block *block)
{
    uint64_t offset = arena_offset(arena, block);
    const struct arena_piece *piece = pieces_find(arena, offset);
    arena->past[arena->past_count % ARENA_PAST_LIMIT] =
        (struct arena_past){*piece, block->size_bytes};
    arena->past_count++;
    arena->header_bytes = offset - piece->start_bytes;
}

/* NULL must not change anything. */
static bool check_unchanged(struct arena *arena, const struct arena_pieces *before)
{
    bool same = before->count == arena->pieces.count;
    for (unsigned i = 0; same && i < before->count; i++)
        same = before->list[i].end_bytes == arena->pieces.list[i].end_bytes;
    return same ||
           judge_wrong(arena->judge, "%s returned NULL, but it changed the pieces",
                       arena->judge->call) ||
           judge_hint(arena->judge,
                      "find a piece first, and split it only when it is large enough");
}

static bool check_null(struct arena *arena, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    struct arena_pieces before = arena->pieces;
    const struct arena_piece *room = pieces_with_room(arena, size_bytes);
    judge_say(judge, "NULL");
    if (room == NULL)
        return check(arena) && check_unchanged(arena, &before);
    uint64_t room_bytes = room->end_bytes - room->start_bytes;
    judge_wrong(judge, "%s returned NULL, but the piece +%llu to +%llu is free and has %llu bytes",
                judge->call, (number)room->start_bytes, (number)room->end_bytes,
                (number)room_bytes);
    if (pieces_is_large(room, size_bytes))
        return judge_hint(judge, "your search must look at every free piece up to heap_end");
    return judge_hint(judge, "a block of this size was there before. A piece that fits exactly is "
                             "large enough");
}

static void *call_allocate(struct arena *arena, uint64_t size_bytes)
{
    arena->freed.live = false;
    judge_call(arena->judge, "list_allocate(%llu)", (number)size_bytes);
    void *address = lesson_07.list_allocate(size_bytes);
    judge_returned(arena->judge);
    return address;
}

static bool hint_block(struct arena *arena, const void *address, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    uint64_t offset = offset_of(arena, address);
    if (offset >= judge->size_bytes && offset - judge->size_bytes < ARENA_FENCE_BYTES)
        return judge_hint(judge, "no piece begins at heap_end or behind it: does your search stop "
                                 "there?");
    if (offset >= judge->size_bytes)
        return judge_hint(judge, "return the address behind the header of a free piece");
    if (offset % BLOCK_ALIGNMENT_BYTES != 0)
        return judge_hint(judge, "the size of a header, and of every piece, is a multiple of 16");
    if (size_bytes > judge->size_bytes - offset)
        return judge_hint(judge, "a piece must have room for its header and its block");
    return judge_hint(judge, "only a free piece can be used, and then it is no longer free");
}

/* Return whether all is right. NULL is, if no piece had room. */
static bool allocate(struct arena *arena, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    void *address = call_allocate(arena, size_bytes);
    if (address == NULL)
        return check_null(arena, size_bytes);
    if (!blocks_accept(judge, &arena->blocks, address, size_bytes, BLOCK_ALIGNMENT_BYTES))
        return hint_block(arena, address, size_bytes);
    const struct block *block =
        arena_block_in(arena, offset_of(arena, address), offset_of(arena, address) + 1, NULL);
    if (!check(arena))
        return false;
    remember(arena, block);
    return true;
}

static bool refuse_allocation(struct arena *arena, uint64_t size_bytes)
{
    char place[JUDGE_TEXT_BYTES];
    void *address = call_allocate(arena, size_bytes);
    if (address == NULL)
        return check_null(arena, UINT64_MAX);
    judge_wrong(arena->judge, "%s returned %s. It must return NULL", arena->judge->call,
                judge_place(arena->judge, address, place));
    if (size_bytes == 0)
        return judge_hint(arena->judge, "a request of 0 bytes is refused");
    if (size_bytes > UINT64_MAX / 2)
        return judge_hint(arena->judge,
                          "a sum with so large a number becomes small. Compare before "
                          "you add");
    return judge_hint(arena->judge, "that is more than all of the heap");
}

static bool free_block(struct arena *arena, char name)
{
    struct judge *judge = arena->judge;
    arena->freed = *blocks_find(&arena->blocks, name);
    blocks_release(&arena->blocks, name);
    judge_call(judge, "list_free(%c)", name);
    lesson_07.list_free(arena->freed.start);
    judge_returned(judge);
    return check(arena);
}

static bool free_all(struct arena *arena)
{
    for (unsigned i = 0; i < arena->blocks.count; i++)
        if (arena->blocks.list[i].live && !free_block(arena, arena->blocks.list[i].name))
            return false;
    return true;
}

/* After the last free: one piece, which serves one large request. */
static bool check_empty(struct arena *arena)
{
    uint64_t size_bytes = arena->judge->size_bytes - OVERHEAD_LIMIT_BYTES;
    if (arena->pieces.count != 1)
        return judge_wrong(arena->judge, "nothing is in use, but there are %u pieces",
                           arena->pieces.count);
    return allocate(arena, size_bytes) && free_all(arena);
}

/* b gets used neighbours, then c a free one before it; a has a free one behind it; d has two. */
static bool free_with_each_neighbour(struct arena *arena)
{
    return allocate(arena, 64) && allocate(arena, 100) && allocate(arena, 32) &&
           allocate(arena, 64) && free_block(arena, 'b') && free_block(arena, 'c') &&
           allocate(arena, 24) && allocate(arena, 48) && free_block(arena, 'e') &&
           free_block(arena, 'a') && free_block(arena, 'd') && free_block(arena, 'f') &&
           check_empty(arena);
}

static bool refuse_sizes(struct arena *arena)
{
    uint64_t heap_bytes = arena->judge->size_bytes;
    return refuse_allocation(arena, 0) && refuse_allocation(arena, heap_bytes + 1) &&
           refuse_allocation(arena, UINT64_MAX) && refuse_allocation(arena, UINT64_MAX - 15) &&
           refuse_allocation(arena, UINT64_MAX - 31);
}

/* Fill the heap with blocks of one size. Return false after a wrong result. */
static bool fill(struct arena *arena, uint64_t size_bytes)
{
    unsigned count;
    do {
        count = arena->blocks.count;
        if (!allocate(arena, size_bytes))
            return false;
    } while (arena->blocks.count != count && count + 1 < BLOCK_LIMIT);
    return true;
}

/* Free every second block of a full heap, then use the holes again: for the same size, and for
 * sizes that leave a rest. */
static bool use_holes_again(struct arena *arena)
{
    static const uint64_t sizes_bytes[] = {64, 40, 24, 8, 33, 48, 1};
    unsigned first = arena->blocks.count;
    if (!fill(arena, 40))
        return false;
    unsigned behind = arena->blocks.count;
    for (unsigned i = first; i + 1 < behind; i += 2)
        if (!free_block(arena, arena->blocks.list[i].name))
            return false;
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
        if (!allocate(arena, sizes_bytes[i]))
            return false;
    return free_all(arena) && check_empty(arena);
}

/* A fixed sequence that looks like chance: xorshift. */
static uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool random_call(struct arena *arena, uint64_t *state, uint64_t largest_bytes)
{
    unsigned place = (unsigned)(chance(state) % BLOCK_LIMIT);
    if (place < arena->blocks.count && arena->blocks.list[place].live)
        return free_block(arena, arena->blocks.list[place].name);
    for (unsigned i = 0; i < arena->blocks.count; i++)
        if (arena->blocks.count < BLOCK_LIMIT || !arena->blocks.list[i].live)
            return allocate(arena, 1 + chance(state) % largest_bytes);
    return arena->blocks.count > 0 || allocate(arena, 1 + chance(state) % largest_bytes);
}

static bool random_calls(struct arena *arena, unsigned count, uint64_t largest_bytes)
{
    struct judge *judge = arena->judge;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    judge_say(judge, "now %u calls in an order that looks like chance, the same in each run",
              count);
    judge->quiet = true;
    bool right = true;
    for (unsigned i = 0; right && i < count; i++)
        right = random_call(arena, &state, largest_bytes);
    right = right && free_all(arena) && check_empty(arena);
    judge->quiet = false;
    if (right)
        return true;
    judge_say(judge, "that was step %u. After the step before it, the heap was:", judge->step);
    judge_draw(judge, &arena->drawn);
    return false;
}

bool lesson_07_run_list(struct judge *judge, uint8_t *all, uint64_t all_bytes)
{
    static struct arena arena; /* too large for a kernel's stack */
    return begin(&arena, judge, all, ARENA_SMALL_BYTES) && free_with_each_neighbour(&arena) &&
           refuse_sizes(&arena) && use_holes_again(&arena) &&
           random_calls(&arena, SMALL_CALLS, 96) &&
           /* Elsewhere, so that a heap that keeps an old address is noticed. */
           begin(&arena, judge, all + ARENA_FENCE_BYTES,
                 all_bytes - 3 * (uint64_t)ARENA_FENCE_BYTES) &&
           random_calls(&arena, LARGE_CALLS, 3000);
}
