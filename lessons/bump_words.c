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

/* "heap_start + 5", or "heap_end". */
static const char *short_place(const struct bench *bench, const void *address, char *buffer)
{
    if (address != bench->start + bench->size_bytes)
        return judge_place(bench->judge, address, buffer);
    format_text(buffer, JUDGE_TEXT_BYTES, "heap_end");
    return buffer;
}

/* "heap_start + 5", and with alignments the part of the address that is the same on each machine. */
static const char *place(const struct bench *bench, const void *address, char *buffer)
{
    char text[JUDGE_TEXT_BYTES];
    uint64_t offset = number(address) - number(bench->start);
    short_place(bench, address, text);
    if (bench->is_aligned && offset <= bench->size_bytes)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s (address 0x...%03x)", text,
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
                    short_place(bench, heap->heap_start, text));
        return words_hint(bench, "begin() writes into the struct that `heap` points to: all three "
                                 "addresses, whatever was in them before");
    }
    if (heap->heap_end != end) {
        judge_wrong(bench->judge, "heap->heap_end is %s. It must be memory + %llu",
                    short_place(bench, heap->heap_end, text),
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
                short_place(bench, heap->free, text));
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
    uint64_t moved_bytes = offset - bench->previous_used_bytes;
    uint64_t right_bytes = bench->used_bytes - bench->previous_used_bytes;
    if (offset > bench->size_bytes)
        return "free must stay between heap_start and heap_end";
    if (moved_bytes == 0)
        return bench->is_aligned ? "move free behind the block: to the address that you return, "
                                   "plus size_bytes"
                                 : "keep the old value of free for the caller, then add size_bytes "
                                   "to free";
    if (moved_bytes == 8 * right_bytes || moved_bytes == 4 * right_bytes)
        return "a pointer moves by whole elements. Is your pointer's type one byte wide, like "
               "uint8_t?";
    if (moved_bytes > right_bytes)
        return "move free by the size of the request and no more: no header, no rounding of the "
               "size";
    if (bench->is_aligned)
        return "count from the address that you return, not from the old value of free: the gap "
               "is in use, too";
    return "move free by size_bytes. Is there a fixed number in your code, or a variable that is "
           "too small?";
}

bool words_free(const struct bench *bench, const struct bump_heap *heap)
{
    char text[JUDGE_TEXT_BYTES];
    char right_text[JUDGE_TEXT_BYTES];
    const uint8_t *right = bench->start + bench->used_bytes;
    if (heap->free == right)
        return true;
    bench_draw_wrong_free(bench, heap->free);
    judge_wrong(bench->judge, "after %s, heap->free is %s. It must be %s", bench->judge->call,
                short_place(bench, heap->free, text), short_place(bench, right, right_text));
    return words_hint(bench, free_hint(bench, heap));
}

bool words_fence(const struct bench *bench, const uint8_t *address)
{
    char text[JUDGE_TEXT_BYTES];
    judge_wrong(bench->judge, "%s wrote to %s, which is not in the heap", bench->judge->call,
                judge_place(bench->judge, address, text));
    return judge_hint(bench->judge, "only the bytes from heap_start up to heap_end - 1 are yours, "
                                    "and a bump heap needs none of them for itself");
}

bool words_touched(const struct bench *bench, const uint8_t *address)
{
    char text[JUDGE_TEXT_BYTES];
    judge_wrong(bench->judge, "%s wrote to %s. It may only compute", bench->judge->call,
                judge_place(bench->judge, address, text));
    return judge_hint(bench->judge, "a bump heap keeps its records in its struct and needs no byte "
                                    "of the memory for itself");
}

bool words_content(const struct bench *bench)
{
    return judge_hint(bench->judge, "a block belongs to its user, and to nobody else: a bump heap "
                                    "keeps its records in its struct, not in the memory");
}

void words_block(const struct bench *bench, char name, uint64_t offset, uint64_t gap_bytes)
{
    char text[JUDGE_TEXT_BYTES];
    char gap[JUDGE_TEXT_BYTES] = "";
    if (gap_bytes > 0)
        format_text(gap, sizeof gap, ", behind a gap of %llu byte%s", (unsigned long long)gap_bytes,
                    gap_bytes == 1 ? "" : "s");
    judge_say(bench->judge, "%c = %s%s", name, place(bench, bench->start + offset, text), gap);
}

/* An address that breaks a rule which every heap keeps: aligned, and not in use already. */
static bool explain_rule(const struct bench *bench, const void *address,
                         struct bench_request request)
{
    char text[JUDGE_TEXT_BYTES];
    uint64_t found = number(address) - number(bench->start);
    if ((number(address) & (request.alignment_bytes - 1)) == 0) {
        judge_wrong(bench->judge, "%s returned %s. The bytes up to +%llu are in use already",
                    bench->judge->call, place(bench, address, text),
                    (unsigned long long)bench->used_bytes);
        return words_hint(bench, "a block begins at free or behind it, never before it");
    }
    judge_wrong(bench->judge, "%s returned %s. That is no multiple of %llu", bench->judge->call,
                place(bench, address, text), (unsigned long long)request.alignment_bytes);
    if (found % request.alignment_bytes == 0)
        return words_hint(bench, "did you round the distance from heap_start? Round the address: "
                                 "heap_start can be any number");
    return words_hint(bench, "round the address in free up to the alignment before you use it");
}

/* The right address is known; the reader's is another one in the heap. Say in which way it is
 * wrong. */
static bool explain_inside(const struct bench *bench, const struct bump_heap *heap,
                           const void *address, struct bench_request request, uint64_t offset)
{
    char text[JUDGE_TEXT_BYTES];
    char right[JUDGE_TEXT_BYTES];
    uint64_t found = number(address) - number(bench->start);
    bench_draw_wrong_block(bench, address, request.size_bytes);
    if ((number(address) & (request.alignment_bytes - 1)) != 0 || found < bench->used_bytes)
        return explain_rule(bench, address, request);
    judge_wrong(bench->judge, "%s returned %s. The block must begin at %s", bench->judge->call,
                place(bench, address, text), place(bench, bench->start + offset, right));
    if (found == offset + request.size_bytes && heap->free == address)
        return words_hint(bench, "this is free after the move. The block begins where free was "
                                 "before the move");
    if (bench->is_aligned && found == offset + request.alignment_bytes)
        return words_hint(bench, "an address that is a multiple already needs no gap");
    if (bench->is_aligned && found > offset)
        return words_hint(bench, "round up to the alignment of this request and no further: all "
                                 "bytes that you skip are lost");
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

static const char *null_hint(const struct bench *bench, struct bench_request request,
                             uint64_t offset)
{
    if (request.size_bytes == 0)
        return "0 bytes is no error: the block is empty, and free stays";
    if (offset + request.size_bytes == bench->size_bytes)
        return "a block may end exactly at heap_end: compare with >, not >=";
    if (offset == 0)
        return "NULL says that there is no room. Return the address where the block begins, not "
               "its "
               "distance from heap_start, which is 0";
    return "NULL says that there is no room. Return the address where the block begins";
}

static bool is_inside(const struct bench *bench, const void *address, uint64_t size_bytes)
{
    uint64_t found = number(address) - number(bench->start);
    return found <= bench->size_bytes && size_bytes <= bench->size_bytes - found;
}

bool words_address(const struct bench *bench, const struct bump_heap *heap, const void *address,
                   struct bench_request request, uint64_t offset)
{
    char text[JUDGE_TEXT_BYTES];
    if (address == bench->start + offset)
        return true;
    if (address == NULL) {
        judge_wrong(bench->judge, "%s returned NULL, but %llu bytes are left, and it fits",
                    bench->judge->call,
                    (unsigned long long)(bench->size_bytes - bench->used_bytes));
        return words_hint(bench, null_hint(bench, request, offset));
    }
    if (is_inside(bench, address, request.size_bytes))
        return explain_inside(bench, heap, address, request, offset);
    judge_wrong(bench->judge, "%s returned %s. A block of %llu byte%s there is not inside the heap",
                bench->judge->call, short_place(bench, address, text),
                (unsigned long long)request.size_bytes, request.size_bytes == 1 ? "" : "s");
    return words_hint(bench, outside_hint(bench, address, offset));
}
