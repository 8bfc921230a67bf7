#include "lessons/policy_heap.h"

/* In turn a block and a free piece, from the heap's start to its end. */
static const uint64_t start_sizes_bytes[] = {16, 160, 32, 32, 48, 160, 48, 112, 48, 48, 32};

void policy_heap_begin(struct policy_heap *ret_heap)
{
    *ret_heap = (struct policy_heap){0};
    uint64_t place_bytes = 0;
    for (unsigned i = 0; i < sizeof start_sizes_bytes / sizeof start_sizes_bytes[0]; i++) {
        struct piece range = {place_bytes, start_sizes_bytes[i]};
        if (i % 2 == 0)
            ret_heap->blocks[ret_heap->block_count++] = range;
        else
            ret_heap->pieces[ret_heap->piece_count++] = range;
        place_bytes += range.size_bytes;
    }
}

static void remove_piece(struct policy_heap *heap, unsigned index)
{
    heap->piece_count--;
    for (unsigned i = index; i < heap->piece_count; i++)
        heap->pieces[i] = heap->pieces[i + 1];
}

char policy_heap_take(struct policy_heap *heap, unsigned piece, uint64_t size_bytes)
{
    struct piece *used = &heap->pieces[piece];
    heap->blocks[heap->block_count] = (struct piece){used->start_bytes, size_bytes};
    used->start_bytes += size_bytes;
    used->size_bytes -= size_bytes;
    if (used->size_bytes == 0)
        remove_piece(heap, piece);
    return (char)('a' + heap->block_count++);
}

static void merge_with_next(struct policy_heap *heap, unsigned index)
{
    struct piece *piece = &heap->pieces[index];
    if (index + 1 >= heap->piece_count ||
        piece->start_bytes + piece->size_bytes != heap->pieces[index + 1].start_bytes)
        return;
    piece->size_bytes += heap->pieces[index + 1].size_bytes;
    remove_piece(heap, index + 1);
}

void policy_heap_free(struct policy_heap *heap, char name)
{
    struct piece *block = &heap->blocks[name - 'a'];
    unsigned place = 0;
    while (place < heap->piece_count && heap->pieces[place].start_bytes < block->start_bytes)
        place++;
    for (unsigned i = heap->piece_count++; i > place; i--)
        heap->pieces[i] = heap->pieces[i - 1];
    heap->pieces[place] = *block;
    block->size_bytes = 0;
    merge_with_next(heap, place);
    if (place > 0)
        merge_with_next(heap, place - 1);
}

uint64_t policy_heap_largest(const struct policy_heap *heap)
{
    uint64_t largest_bytes = 0;
    for (unsigned i = 0; i < heap->piece_count; i++)
        if (heap->pieces[i].size_bytes > largest_bytes)
            largest_bytes = heap->pieces[i].size_bytes;
    return largest_bytes;
}

void policy_heap_draw(const struct policy_heap *heap, struct drawing *ret_drawing)
{
    drawing_begin(ret_drawing, POLICY_HEAP_SIZE_BYTES);
    for (unsigned i = 0; i < heap->block_count; i++) {
        const struct piece *block = &heap->blocks[i];
        drawing_add(ret_drawing, block->start_bytes, block->start_bytes + block->size_bytes,
                    (char)('a' + i));
    }
}
