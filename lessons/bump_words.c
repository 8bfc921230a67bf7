#include "lessons/bump_words.h"

#include "shared/text/format.h"

#define PAGE_BYTES 4096u

static uint64_t number(const void *address)
{
    return (uint64_t)(uintptr_t)address;
}

bool words_hint(const struct bench *bench, const char *hint)
{
    return judge_hint(bench->judge, "%s", bench->hint != NULL ? bench->hint : hint);
}

/* "heap_start + 5", and with alignments the part of the address that is the same on each machine. */
static const char *place(const struct bench *bench, const void *address, char *buffer)
{
    char text[JUDGE_TEXT_BYTES];
    uint64_t offset = number(address) - number(bench->start);
    judge_place(bench->judge, address, text);
    if (bench->is_aligned && offset <= bench->size_bytes)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s (the address ends in %03x)", text,
                    (unsigned)(number(address) % PAGE_BYTES));
    else
        format_text(buffer, JUDGE_TEXT_BYTES, "%s", text);
    return buffer;
}

bool words_begun(const struct bench *bench, const struct bump_heap *heap)
{
    char text[JUDGE_TEXT_BYTES];
    const uint8_t *end = bench->start + bench->size_bytes;
    if (heap->heap_start != bench->start) {
        judge_wrong(bench->judge, "heap->heap_start is %s. It must be memory",
                    judge_place(bench->judge, heap->heap_start, text));
        return words_hint(bench, "begin() writes into the struct that `heap` points to: all three "
                                 "addresses, whatever was in them before");
    }
    if (heap->heap_end != end) {
        judge_wrong(bench->judge, "heap->heap_end is %s. It must be memory + %llu",
                    judge_place(bench->judge, heap->heap_end, text),
                    (unsigned long long)bench->size_bytes);
        return words_hint(bench, heap->heap_end == end - 1
                                     ? "heap_end is the first byte BEHIND the heap, not the last "
                                       "byte of it"
                                     : "heap_end is an address: where the heap begins, plus its "
                                       "size in bytes");
    }
    if (heap->free == bench->start)
        return true;
    judge_wrong(bench->judge, "heap->free is %s. Nothing is in use yet, so it must be memory",
                judge_place(bench->judge, heap->free, text));
    return words_hint(bench, "the first byte that nobody uses is the first byte of the heap");
}

bool words_limits(const struct bench *bench, const struct bump_heap *heap)
{
    char text[JUDGE_TEXT_BYTES];
    bool is_start = heap->heap_start != bench->start;
    const uint8_t *moved = is_start ? heap->heap_start : heap->heap_end;
    if (!is_start && heap->heap_end == bench->start + bench->size_bytes)
        return true;
    judge_wrong(bench->judge, "%s moved heap->heap_%s to %s", bench->judge->call,
                is_start ? "start" : "end", judge_place(bench->judge, moved, text));
    return words_hint(bench, "the heap's start and end stay where they are: only free moves");
}

/* What could have led to this value of `free`, as a hint. */
static const char *free_hint(const struct bench *bench, const struct bump_heap *heap)
{
    uint64_t offset = number(heap->free) - number(bench->start);
    if (offset > bench->size_bytes)
        return "free must stay between heap_start and heap_end";
    if (offset > bench->used_bytes)
        return "move free by the size of the request and no more. Is your pointer's type one byte "
               "wide, like uint8_t?";
    if (bench->is_aligned)
        return "count from the address that you return, not from the old value of free: the gap "
               "is behind free now";
    return "keep the old value of free for the caller, then add size_bytes to free";
}

bool words_free(const struct bench *bench, const struct bump_heap *heap)
{
    char text[JUDGE_TEXT_BYTES];
    const uint8_t *right = bench->start + bench->used_bytes;
    if (heap->free == right)
        return true;
    char right_text[JUDGE_TEXT_BYTES];
    judge_wrong(bench->judge, "after %s, heap->free is %s. It must be %s", bench->judge->call,
                judge_place(bench->judge, heap->free, text),
                judge_place(bench->judge, right, right_text));
    return words_hint(bench, free_hint(bench, heap));
}

bool words_fence(const struct bench *bench, const uint8_t *address)
{
    char text[JUDGE_TEXT_BYTES];
    judge_wrong(bench->judge, "%s wrote to %s, which is not in the heap", bench->judge->call,
                judge_place(bench->judge, address, text));
    return words_hint(bench, "only the bytes from heap_start up to heap_end - 1 are yours, and a "
                             "bump heap needs none of them for itself");
}

bool words_content(const struct bench *bench)
{
    return words_hint(bench, "a block belongs to its user, and to nobody else: a bump heap keeps "
                             "its records in its struct, not in the memory");
}

void words_block(const struct bench *bench, char name, uint64_t offset, uint64_t gap_bytes)
{
    char text[JUDGE_TEXT_BYTES];
    char gap[JUDGE_TEXT_BYTES] = "";
    if (gap_bytes > 0)
        format_text(gap, sizeof gap, ", behind a gap of %llu byte%s",
                    (unsigned long long)gap_bytes, gap_bytes == 1 ? "" : "s");
    judge_say(bench->judge, "%c = %s%s", name, place(bench, bench->start + offset, text), gap);
}

/* The right address is known; the reader's is another one. Say in which way it is wrong. */
static bool explain_inside(const struct bench *bench, const void *address,
                           struct bench_request request, uint64_t offset)
{
    char text[JUDGE_TEXT_BYTES];
    char right[JUDGE_TEXT_BYTES];
    uint64_t found = number(address) - number(bench->start);
    bool is_multiple = (number(address) & (request.alignment_bytes - 1)) == 0;
    place(bench, address, text);
    place(bench, bench->start + offset, right);
    if (!is_multiple)
        judge_wrong(bench->judge, "%s returned %s. That is no multiple of %llu", bench->judge->call,
                    text, (unsigned long long)request.alignment_bytes);
    else if (found < bench->used_bytes)
        judge_wrong(bench->judge, "%s returned %s. The bytes up to +%llu are in use already",
                    bench->judge->call, text, (unsigned long long)bench->used_bytes);
    else
        judge_wrong(bench->judge, "%s returned %s. The block must begin at %s",
                    bench->judge->call, text, right);
    if (!is_multiple && found % request.alignment_bytes == 0)
        return words_hint(bench, "you rounded the distance from heap_start. Round the address: "
                                 "heap_start can be any number");
    if (!is_multiple)
        return words_hint(bench, "round the address in free up to the alignment before you use it");
    if (found < bench->used_bytes)
        return words_hint(bench, "a block begins at free or behind it, never before it");
    if (found == offset + request.size_bytes)
        return words_hint(bench, "this is free after the move. The block begins where free was "
                                 "before the move");
    return words_hint(bench, "begin the block at the first byte that nobody uses and that fits the "
                             "request: all bytes that you skip are lost");
}

static const char *outside_hint(const struct bench *bench, const void *address, uint64_t offset)
{
    uint64_t right = number(bench->start) + offset;
    if (number(address) != right && (uint32_t)number(address) == (uint32_t)right)
        return "the lower 32 bits are right and the upper 32 are lost: is a mask or a variable "
               "only 32 bits wide?";
    if (number(address) == offset)
        return "this is the distance from heap_start. Return the address";
    return "return an address in the heap, made from heap->free";
}

static bool is_inside(const struct bench *bench, const void *address, uint64_t size_bytes)
{
    uint64_t found = number(address) - number(bench->start);
    return found <= bench->size_bytes && size_bytes <= bench->size_bytes - found;
}

bool words_address(const struct bench *bench, const void *address, struct bench_request request,
                   uint64_t offset)
{
    char text[JUDGE_TEXT_BYTES];
    if (address == bench->start + offset)
        return true;
    if (address == NULL) {
        judge_wrong(bench->judge, "%s returned NULL, but %llu bytes are left, and it fits",
                    bench->judge->call, (unsigned long long)(bench->size_bytes - bench->used_bytes));
        if (request.size_bytes == 0)
            return words_hint(bench, "0 bytes is no error: the block is empty, and free stays");
        return words_hint(bench, offset + request.size_bytes == bench->size_bytes
                                     ? "a block may end exactly at heap_end: compare with >, not >="
                                     : "return the address where the block begins");
    }
    if (is_inside(bench, address, request.size_bytes))
        return explain_inside(bench, address, request, offset);
    judge_wrong(bench->judge, "%s returned %s. %llu bytes there are not inside the heap",
                bench->judge->call, judge_place(bench->judge, address, text),
                (unsigned long long)request.size_bytes);
    return words_hint(bench, outside_hint(bench, address, offset));
}
