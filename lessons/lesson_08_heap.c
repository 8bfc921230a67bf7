#include "lessons/lesson_08_heap.h"

#define UNIT_BYTES 16u

void lesson_08_heap_begin(struct lesson_08_heap *ret_heap, uint64_t size_bytes)
{
    *ret_heap = (struct lesson_08_heap){.count = 1};
    ret_heap->pieces[0] = (struct piece){.size_bytes = size_bytes, .used = false};
}

static void move_piece(struct lesson_08_heap *heap, unsigned to, unsigned from)
{
    heap->pieces[to] = heap->pieces[from];
    heap->requested_bytes[to] = heap->requested_bytes[from];
    heap->names[to] = heap->names[from];
}

static void split(struct lesson_08_heap *heap, unsigned index, uint64_t needed_bytes)
{
    uint64_t rest_bytes = heap->pieces[index].size_bytes - needed_bytes;
    if (rest_bytes <= LESSON_08_HEADER_BYTES)
        return;
    for (unsigned i = heap->count++; i > index + 1; i--)
        move_piece(heap, i, i - 1);
    heap->pieces[index].size_bytes = needed_bytes;
    heap->pieces[index + 1] = (struct piece){.size_bytes = rest_bytes, .used = false};
}

unsigned lesson_08_heap_allocate(struct lesson_08_heap *heap, uint64_t size_bytes)
{
    if (size_bytes == 0 || size_bytes > UINT64_MAX / 2 || heap->count == LESSON_08_PIECE_LIMIT)
        return LESSON_08_PIECE_LIMIT;
    uint64_t needed_bytes =
        LESSON_08_HEADER_BYTES + (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    unsigned index = 0;
    while (index < heap->count &&
           (heap->pieces[index].used || heap->pieces[index].size_bytes < needed_bytes))
        index++;
    if (index == heap->count)
        return LESSON_08_PIECE_LIMIT;
    split(heap, index, needed_bytes);
    heap->pieces[index].used = true;
    heap->requested_bytes[index] = size_bytes;
    heap->names[index] = (char)('a' + heap->allocation_count++ % 26);
    return index;
}

static void merge_with_next(struct lesson_08_heap *heap, unsigned index)
{
    if (index + 1 >= heap->count || heap->pieces[index].used || heap->pieces[index + 1].used)
        return;
    heap->pieces[index].size_bytes += heap->pieces[index + 1].size_bytes;
    heap->count--;
    for (unsigned i = index + 1; i < heap->count; i++)
        move_piece(heap, i, i + 1);
}

void lesson_08_heap_free(struct lesson_08_heap *heap, unsigned index)
{
    heap->pieces[index].used = false;
    merge_with_next(heap, index);
    if (index > 0)
        merge_with_next(heap, index - 1);
}

unsigned lesson_08_heap_find(const struct lesson_08_heap *heap, char name)
{
    for (unsigned i = 0; i < heap->count; i++)
        if (heap->pieces[i].used && heap->names[i] == name)
            return i;
    return LESSON_08_PIECE_LIMIT;
}

void lesson_08_heap_draw(const struct lesson_08_heap *heap, struct drawing *drawing)
{
    uint64_t start = 0;
    for (unsigned i = 0; i < heap->count; i++) {
        uint64_t end = start + heap->pieces[i].size_bytes;
        drawing_add(drawing, start, start + LESSON_08_HEADER_BYTES, DRAWING_HEADER);
        if (heap->pieces[i].used)
            drawing_add(drawing, start + LESSON_08_HEADER_BYTES, end, heap->names[i]);
        start = end;
    }
}
