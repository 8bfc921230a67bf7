#include "lessons/watched_heap.h"

#define ALIGNMENT_BYTES 16u
#define OLD_BYTE        0xa7

void watched_heap_begin(struct watched_heap *ret_heap, uint8_t *memory)
{
    ret_heap->memory = memory;
    ret_heap->used_bytes = 0;
    ret_heap->block_count = 0;
    fill_bytes(memory, WATCHED_BYTES, OLD_BYTE);
}

struct watched_block *watched_heap_take(struct watched_heap *heap, uint64_t size_bytes)
{
    struct watched_block *block = &heap->blocks[heap->block_count];
    block->header = (struct header *)(heap->memory + heap->used_bytes);
    block->start = (uint8_t *)(block->header + 1);
    block->size_bytes = size_bytes;
    block->name = (char)('a' + heap->block_count++);
    block->freed = false;
    uint64_t end_bytes = heap->used_bytes + sizeof(struct header) + size_bytes + CANARY_BYTES;
    heap->used_bytes = (end_bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return block;
}

void watched_heap_keep(struct watched_heap *heap)
{
    for (uint64_t i = 0; i < WATCHED_BYTES; i++)
        heap->copy[i] = heap->memory[i];
}

bool watched_heap_compare(const struct watched_heap *heap, const struct watched_block *block,
                          uint64_t *ret_offset_bytes)
{
    uint64_t begin = 0, end = 0;
    if (block != NULL) {
        begin = (uint64_t)((uint8_t *)block->header - heap->memory);
        end = begin + sizeof(struct header) + block->size_bytes + CANARY_BYTES;
    }
    for (uint64_t i = 0; i < WATCHED_BYTES; i++) {
        *ret_offset_bytes = i;
        if (heap->memory[i] != heap->copy[i] && (i < begin || i >= end))
            return false;
    }
    return true;
}

void watched_heap_draw(const struct watched_heap *heap, struct drawing *ret_drawing)
{
    drawing_begin(ret_drawing, WATCHED_BYTES);
    for (unsigned i = 0; i < heap->block_count; i++) {
        const struct watched_block *block = &heap->blocks[i];
        uint64_t start = (uint64_t)(block->start - heap->memory);
        uint64_t end = start + block->size_bytes;
        drawing_add(ret_drawing, start - sizeof(struct header), start, DRAWING_HEADER);
        drawing_add(ret_drawing, start, end, block->freed ? DRAWING_POISON : block->name);
        drawing_add(ret_drawing, end, end + CANARY_BYTES, DRAWING_CANARY);
    }
}
