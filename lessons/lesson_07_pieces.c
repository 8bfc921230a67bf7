#include "lessons/lesson_07_pieces.h"

#include "shared/text/format.h"

typedef unsigned long long number;

/* `after` is the call after which describe() is asked: sentences are about that call. */
static struct piece ask(struct arena *arena, uint64_t offset_bytes, const char *after)
{
    struct judge *judge = arena->judge;
    judge_call_again(judge, "describe(heap_start + %llu), after %s", (number)offset_bytes, after);
    struct piece piece = lesson_07.describe(judge->memory + offset_bytes);
    judge_returned(judge);
    format_text(judge->call, sizeof judge->call, "%s", after);
    return piece;
}

static bool hint_size(struct arena *arena, uint64_t offset_bytes)
{
    const struct arena_pieces *pieces = &arena->pieces;
    const struct block *block = arena_block_in(arena, offset_bytes, offset_bytes + 1, NULL);
    if (block != NULL)
        return judge_hint(
            arena->judge,
            "block %c lies there, +%llu to +%llu. A block begins behind the header of "
            "its piece, and ends before the next piece",
            block->name, (number)arena_offset(arena, block),
            (number)(arena_offset(arena, block) + block->size_bytes));
    if (arena_block_in(arena, 0, arena->judge->size_bytes, NULL) == NULL)
        return judge_hint(arena->judge,
                          "nothing is in use, so there is one free piece, and its size "
                          "is that of the heap: the header counts");
    const struct arena_piece *before = &pieces->list[pieces->count - (pieces->count > 0)];
    return judge_hint(arena->judge,
                      "the piece before it is +%llu to +%llu. Is that size right? If it is, which "
                      "call wrote the header at +%llu, and with what size?",
                      (number)before->start_bytes, (number)before->end_bytes, (number)offset_bytes);
}

static bool check_size(struct arena *arena, uint64_t offset_bytes, uint64_t size_bytes)
{
    struct judge *judge = arena->judge;
    uint64_t room_bytes = judge->size_bytes - offset_bytes;
    if (size_bytes != 0 && size_bytes <= room_bytes)
        return true;
    if (size_bytes == 0)
        judge_wrong(judge, "after %s, describe(heap_start + %llu) says that this piece has 0 bytes",
                    judge->call, (number)offset_bytes);
    else
        judge_wrong(judge,
                    "after %s, describe(heap_start + %llu) says that this piece has %llu bytes, "
                    "but only %llu are left up to heap_end",
                    judge->call, (number)offset_bytes, (number)size_bytes, (number)room_bytes);
    if (size_bytes > room_bytes && size_bytes - room_bytes <= ARENA_FENCE_BYTES)
        return judge_hint(judge, "the piece ends behind heap_end. Does each walk, and each merge, "
                                 "stop at heap_end?");
    return hint_size(arena, offset_bytes);
}

static bool check_free_piece(struct arena *arena, const struct arena_piece *piece)
{
    struct judge *judge = arena->judge;
    const struct block *block = arena_block_in(arena, piece->start_bytes, piece->end_bytes, NULL);
    if (block == NULL)
        return true;
    judge_wrong(judge,
                "after %s, block %c (+%llu to +%llu) is in use, but describe() says that the "
                "piece +%llu to +%llu is free",
                judge->call, block->name, (number)arena_offset(arena, block),
                (number)(arena_offset(arena, block) + block->size_bytes),
                (number)piece->start_bytes, (number)piece->end_bytes);
    if (arena->header_bytes > 0 &&
        arena_offset(arena, block) > piece->start_bytes + arena->header_bytes)
        return judge_hint(judge,
                          "this free piece is too large: it reaches over block %c. Which split "
                          "or merge gave it this size? Is its header one that a merge removed?",
                          block->name);
    return judge_hint(judge, "list_allocate() must mark its piece as used; list_free() and a merge "
                             "must change free pieces and the freed one only");
}

static bool wrong_used_without_block(struct arena *arena, const struct arena_piece *piece)
{
    struct judge *judge = arena->judge;
    judge_wrong(judge,
                "after %s, describe() says that the piece +%llu to +%llu is used, but no block "
                "that is in use lies there",
                judge->call, (number)piece->start_bytes, (number)piece->end_bytes);
    if (arena->freed.live)
        return judge_hint(judge, "list_free() must make the piece of its block free");
    return judge_hint(judge,
                      "only the piece of a block is used; all other pieces are free. Does your "
                      "code write every field of a new header?");
}

static bool wrong_small_piece(struct arena *arena, const struct arena_piece *piece,
                              const struct block *block)
{
    struct judge *judge = arena->judge;
    judge_wrong(judge, "after %s, block %c is +%llu to +%llu, but its piece is +%llu to +%llu",
                judge->call, block->name, (number)arena_offset(arena, block),
                (number)(arena_offset(arena, block) + block->size_bytes),
                (number)piece->start_bytes, (number)piece->end_bytes);
    return judge_hint(judge, "a piece must be as large as its header and its block together: "
                             "compare, and split, with that sum");
}

static bool wrong_large_piece(struct arena *arena, const struct arena_piece *piece,
                              const struct block *block)
{
    struct judge *judge = arena->judge;
    judge_wrong(judge,
                "after %s, the piece of block %c has %llu bytes, for a block of %llu. It may have "
                "%llu, with its header",
                judge->call, block->name, (number)(piece->end_bytes - piece->start_bytes),
                (number)block->size_bytes, (number)(block->size_bytes + OVERHEAD_LIMIT_BYTES));
    if (arena->freed.live)
        return judge_hint(judge, "a free must not make a used piece larger: merge only two pieces "
                                 "that are both free");
    return judge_hint(judge, "split the free piece: it becomes smaller, and the rest behind it is "
                             "a free piece");
}

static bool check_used_piece(struct arena *arena, const struct arena_piece *piece)
{
    struct judge *judge = arena->judge;
    const struct block *block = arena_block_in(arena, piece->start_bytes, piece->end_bytes, NULL);
    if (block == NULL)
        return wrong_used_without_block(arena, piece);
    const struct block *second = arena_block_in(arena, piece->start_bytes, piece->end_bytes, block);
    if (arena_offset(arena, block) < piece->start_bytes ||
        arena_offset(arena, block) + block->size_bytes > piece->end_bytes)
        return wrong_small_piece(arena, piece, block);
    if (second != NULL)
        return judge_wrong(judge, "after %s, blocks %c and %c lie in one piece, +%llu to +%llu",
                           judge->call, block->name, second->name, (number)piece->start_bytes,
                           (number)piece->end_bytes) ||
               judge_hint(judge, "each block needs a piece of its own: split the free piece");
    if (piece->end_bytes - piece->start_bytes <= block->size_bytes + OVERHEAD_LIMIT_BYTES)
        return true;
    return wrong_large_piece(arena, piece, block);
}

static bool wrong_neighbours(struct arena *arena, const struct arena_piece *first,
                             const struct arena_piece *second)
{
    struct judge *judge = arena->judge;
    uint64_t freed = arena->freed.live ? arena_offset(arena, &arena->freed) : UINT64_MAX;
    judge_wrong(judge,
                "after %s, the pieces +%llu to +%llu and +%llu to +%llu are both free. Free "
                "neighbours must become one piece",
                judge->call, (number)first->start_bytes, (number)first->end_bytes,
                (number)second->start_bytes, (number)second->end_bytes);
    if (freed >= second->start_bytes && freed < second->end_bytes)
        return judge_hint(judge, "the piece before the freed one is free, too: merge with it");
    if (freed >= first->start_bytes && freed < first->end_bytes)
        return judge_hint(judge, "the piece behind the freed one is free, too: merge with it");
    return judge_hint(judge, "look at every pair of neighbours that this call changed");
}

static bool add_piece(struct arena *arena, const struct arena_piece *piece)
{
    struct arena_pieces *pieces = &arena->pieces;
    const struct arena_piece *before = pieces->count > 0 ? &pieces->list[pieces->count - 1] : NULL;
    pieces->list[pieces->count++] = *piece;
    if (piece->used)
        return check_used_piece(arena, piece);
    if (!check_free_piece(arena, piece))
        return false;
    return before == NULL || before->used || wrong_neighbours(arena, before, piece);
}

/* The list of pieces cannot overflow: a free neighbour, and a piece without its block, end it. */
static bool read_all(struct arena *arena, const char *after)
{
    arena->pieces.count = 0;
    for (uint64_t offset = 0; offset < arena->judge->size_bytes;) {
        struct piece said = ask(arena, offset, after);
        if (!check_size(arena, offset, said.size_bytes))
            return false;
        struct arena_piece piece = {offset, offset + said.size_bytes, said.used};
        if (!add_piece(arena, &piece))
            return false;
        offset += said.size_bytes;
    }
    return true;
}

bool pieces_read(struct arena *arena)
{
    char after[JUDGE_TEXT_BYTES];
    format_text(after, sizeof after, "%s", arena->judge->call);
    if (read_all(arena, after))
        return true;
    arena->judge->quiet = false;
    judge_say(arena->judge, "the pieces up to there, as describe() reports them:");
    arena_draw(arena);
    return false;
}

const struct arena_piece *pieces_find(const struct arena *arena, uint64_t offset_bytes)
{
    unsigned i = 0;
    while (i + 1 < arena->pieces.count && arena->pieces.list[i].end_bytes <= offset_bytes)
        i++;
    return &arena->pieces.list[i];
}

/* A piece inside of this one held a block of this size, so this one can. */
static bool had_room(const struct arena *arena, const struct arena_piece *piece,
                     uint64_t size_bytes)
{
    for (unsigned i = 0; i < ARENA_PAST_LIMIT && i < arena->past_count; i++) {
        const struct arena_past *past = &arena->past[i];
        if (past->size_bytes >= size_bytes && past->piece.start_bytes >= piece->start_bytes &&
            past->piece.end_bytes <= piece->end_bytes)
            return true;
    }
    return false;
}

bool pieces_is_large(const struct arena_piece *piece, uint64_t size_bytes)
{
    uint64_t piece_bytes = piece->end_bytes - piece->start_bytes;
    return piece_bytes >= OVERHEAD_LIMIT_BYTES && piece_bytes - OVERHEAD_LIMIT_BYTES >= size_bytes;
}

const struct arena_piece *pieces_with_room(const struct arena *arena, uint64_t size_bytes)
{
    for (unsigned i = 0; i < arena->pieces.count; i++) {
        const struct arena_piece *piece = &arena->pieces.list[i];
        if (!piece->used &&
            (pieces_is_large(piece, size_bytes) || had_room(arena, piece, size_bytes)))
            return piece;
    }
    return NULL;
}
