#include "lessons/lesson_07_arena.h"

/* No address, no small number and no ASCII text has this byte in every place. */
#define FENCE 0xb7u

/* Behind the heap, the bytes look like free pieces of 32 bytes to most headers. A walk that does not
 * stop at heap_end takes them in, and describe() shows it. */
static uint8_t fence_behind(uint64_t index)
{
    uint64_t place = index % 32;
    if (place < 16)
        return place == 0 ? 32 : 0;
    return FENCE;
}

void arena_begin(struct arena *ret_arena, struct judge *judge, uint8_t *all, uint64_t size_bytes)
{
    *ret_arena = (struct arena){.judge = judge};
    blocks_begin(&ret_arena->blocks);
    judge->memory = all + ARENA_FENCE_BYTES;
    judge->size_bytes = size_bytes;
    for (uint64_t i = 0; i < ARENA_FENCE_BYTES; i++) {
        all[i] = FENCE;
        judge->memory[size_bytes + i] = fence_behind(i);
    }
}

static bool wrong_byte(struct judge *judge, const uint8_t *byte)
{
    char place[JUDGE_TEXT_BYTES];
    judge_wrong(judge, "%s wrote to %s, which is not in the heap", judge->call,
                judge_place(judge, byte, place));
    if (byte < judge->memory)
        return judge_hint(judge, "that lies before heap_start, which is the `memory` of the newest "
                                 "begin. An address of an older heap is of no use");
    return judge_hint(judge,
                      "before your code writes a header, check that it lies below heap_end. A "
                      "pointer to a struct moves by whole structs, not by bytes");
}

bool arena_check(struct arena *arena)
{
    struct judge *judge = arena->judge;
    const uint8_t *end = judge->memory + judge->size_bytes;
    for (uint64_t i = 0; i < ARENA_FENCE_BYTES; i++) {
        if (end[i] != fence_behind(i))
            return wrong_byte(judge, &end[i]);
        if (*(judge->memory - 1 - i) != FENCE)
            return wrong_byte(judge, judge->memory - 1 - i);
    }
    return blocks_check(judge, &arena->blocks) ||
           judge_hint(judge, "your code wrote a header inside of a block that is in use");
}

uint64_t arena_offset(const struct arena *arena, const struct block *block)
{
    return (uint64_t)(block->start - arena->judge->memory);
}

const struct block *arena_block_in(const struct arena *arena, uint64_t start_bytes,
                                   uint64_t end_bytes, const struct block *other)
{
    for (unsigned i = 0; i < arena->blocks.count; i++) {
        const struct block *block = &arena->blocks.list[i];
        uint64_t start = arena_offset(arena, block);
        if (block->live && block != other && start < end_bytes &&
            start + block->size_bytes > start_bytes)
            return block;
    }
    return NULL;
}

/* A free piece is drawn with the header that the used ones have. */
static void draw_piece(const struct arena *arena, const struct arena_piece *piece,
                       struct drawing *drawing)
{
    const struct block *block = arena_block_in(arena, piece->start_bytes, piece->end_bytes, NULL);
    uint64_t header_end = piece->start_bytes + arena->header_bytes;
    if (header_end > piece->end_bytes)
        header_end = piece->end_bytes;
    if (block != NULL)
        drawing_add(drawing, header_end, piece->end_bytes, DRAWING_GAP);
    drawing_add(drawing, piece->start_bytes, header_end, DRAWING_HEADER);
}

void arena_draw(struct arena *arena)
{
    struct drawing *drawing = &arena->drawn;
    drawing_begin(drawing, arena->judge->size_bytes);
    drawing->whole = true;
    blocks_draw(arena->judge, &arena->blocks, drawing);
    for (unsigned i = 0; i < arena->pieces.count; i++)
        draw_piece(arena, &arena->pieces.list[i], drawing);
    judge_draw(arena->judge, drawing);
}
