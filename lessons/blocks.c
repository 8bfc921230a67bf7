#include "lessons/blocks.h"

/* The pattern changes from byte to byte and from block to block, so a copy of a neighbour differs. */
static uint8_t pattern(const struct block *block, uint64_t index)
{
    return (uint8_t)((unsigned)block->name * 37u + index * 11u + 1u);
}

void blocks_begin(struct blocks *ret_blocks)
{
    ret_blocks->count = 0;
}

/* The end of the block is not computed before its size is known to fit. */
static bool is_inside(const struct judge *judge, const void *address, uint64_t size_bytes)
{
    uint64_t start = (uint64_t)(uintptr_t)address;
    uint64_t memory = (uint64_t)(uintptr_t)judge->memory;
    return start >= memory && start - memory <= judge->size_bytes &&
           size_bytes <= judge->size_bytes - (start - memory);
}

static const struct block *overlapped(const struct blocks *blocks, const struct block *block)
{
    for (unsigned i = 0; i < blocks->count; i++) {
        const struct block *other = &blocks->list[i];
        if (other->live && other->start < block->start + block->size_bytes &&
            block->start < other->start + other->size_bytes)
            return other;
    }
    return NULL;
}

/* Return BLOCK_LIMIT if every block is live. */
static unsigned first_dead(const struct blocks *blocks)
{
    unsigned index = 0;
    while (index < blocks->count && blocks->list[index].live)
        index++;
    return index;
}

static bool check_place(struct judge *judge, const void *address, uint64_t size_bytes,
                        uint64_t alignment_bytes)
{
    char place[JUDGE_TEXT_BYTES];
    judge_place(judge, address, place);
    if (address == NULL)
        return judge_wrong(judge, "%s returned NULL, but there is room", judge->call);
    if (!is_inside(judge, address, size_bytes))
        return judge_wrong(judge,
                           "%s returned %s. A block of %llu bytes there is not inside the heap",
                           judge->call, place, (unsigned long long)size_bytes);
    if ((uint64_t)(uintptr_t)address % alignment_bytes != 0)
        return judge_wrong(judge, "%s returned %s, which is no multiple of %llu", judge->call,
                           place, (unsigned long long)alignment_bytes);
    return true;
}

static char name_of(unsigned index)
{
    return (char)(index < 26 ? 'a' + index : 'A' + (index - 26));
}

static void fill(const struct block *block)
{
    for (uint64_t i = 0; i < block->size_bytes; i++)
        block->start[i] = pattern(block, i);
}

char blocks_add(struct blocks *blocks, void *address, uint64_t size_bytes)
{
    if (blocks->count == BLOCK_LIMIT)
        return '*';
    struct block block = {address, size_bytes, name_of(blocks->count), true};
    fill(&block);
    blocks->list[blocks->count++] = block;
    return block.name;
}

bool blocks_accept(struct judge *judge, struct blocks *blocks, void *address, uint64_t size_bytes,
                   uint64_t alignment_bytes)
{
    if (!check_place(judge, address, size_bytes, alignment_bytes))
        return false;
    unsigned index = blocks->count < BLOCK_LIMIT ? blocks->count : first_dead(blocks);
    if (index == BLOCK_LIMIT)
        return judge_wrong(judge, "the lesson itself has too many blocks: tell its authors");
    struct block block = {address, size_bytes, name_of(index), true};
    const struct block *other = overlapped(blocks, &block);
    if (other != NULL)
        return judge_wrong(judge,
                           "%s returned heap_start + %llu, but block %c is still in use there "
                           "(+%llu to +%llu)",
                           judge->call, (unsigned long long)(block.start - judge->memory),
                           other->name, (unsigned long long)(other->start - judge->memory),
                           (unsigned long long)(other->start - judge->memory) + other->size_bytes);
    fill(&block);
    blocks->list[index] = block;
    if (index == blocks->count)
        blocks->count++;
    judge_say(judge, "%c = heap_start + %llu", block.name,
              (unsigned long long)(block.start - judge->memory));
    return true;
}

bool blocks_check(struct judge *judge, const struct blocks *blocks)
{
    for (unsigned i = 0; i < blocks->count; i++) {
        const struct block *block = &blocks->list[i];
        for (uint64_t j = 0; block->live && j < block->size_bytes; j++)
            if (block->start[j] != pattern(block, j))
                return judge_wrong(judge, "%s changed byte %llu of block %c, which is still in use",
                                   judge->call, (unsigned long long)j, block->name);
    }
    return true;
}

struct block *blocks_find(struct blocks *blocks, char name)
{
    for (unsigned i = 0; i < blocks->count; i++)
        if (blocks->list[i].name == name)
            return &blocks->list[i];
    return NULL;
}

void blocks_release(struct blocks *blocks, char name)
{
    struct block *block = blocks_find(blocks, name);
    if (block != NULL)
        block->live = false;
}

void blocks_draw(const struct judge *judge, const struct blocks *blocks, struct drawing *drawing)
{
    for (unsigned i = 0; i < blocks->count; i++) {
        const struct block *block = &blocks->list[i];
        uint64_t start = (uint64_t)(block->start - judge->memory);
        if (block->live)
            drawing_add(drawing, start, start + block->size_bytes, block->name);
    }
}
