#include "lessons/lesson_05.h"

#include "lessons/bump_bench.h"
#include "lessons/bump_check.h"

#define MANY          600u
#define ALL_POWERS_UP 13u           /* 2^0 to 2^12 */
#define PART_BYTES    (128u * 1024) /* of each of two heaps */

struct rounding {
    uint64_t number;
    uint64_t alignment;
};

/* The last ones need all 64 bits. */
static const struct rounding roundings[] = {
    {13, 8},
    {7, 8},
    {8, 8},
    {9, 8},
    {0, 8},
    {13, 1},
    {5, 2},
    {100, 64},
    {4095, 4096},
    {4096, 4096},
    {UINT64_C(0x7fffffff), 4096},
    {UINT64_C(0xffff800000012345), 4096},
    {UINT64_C(0xffff800000012345), UINT64_C(1) << 40},
};

/* Sizes and alignments differ, so a heap that takes one for the other fails. With 8 and 8, and then
 * 3 and 8, the second block needs no gap. */
static const struct bench_request small_requests[] = {
    {1, 1}, {3, 4}, {1, 2}, {4, 2}, {8, 8}, {3, 8}, {0, 1}, {16, 16},
};
static const struct bench_request large_requests[] = {
    {24, 8}, {4096, 4096}, {1, 1}, {64, 64}, {4096, 4096}, {4096, 4096}, {8, 8},
};

static uint64_t right_rounding(struct rounding rounding)
{
    uint64_t beyond = rounding.number & (rounding.alignment - 1);
    return beyond == 0 ? rounding.number : rounding.number - beyond + rounding.alignment;
}

static const char *rounding_hint(struct rounding rounding, uint64_t found)
{
    uint64_t right = right_rounding(rounding);
    if (found == right + rounding.alignment || found == right + 1)
        return "a number that is a multiple already stays as it is";
    if (found == rounding.number)
        return "nothing was rounded: the result must be a multiple of the alignment";
    if (found < right && found % rounding.alignment == 0 && found >> 32 == right >> 32)
        return "this is rounded DOWN. Add something before you clear the low bits";
    if (rounding.alignment > UINT32_MAX)
        return "this alignment has 41 bits: is a variable or a mask only 32 bits wide?";
    if (found % rounding.alignment == 0 && (uint32_t)found == (uint32_t)right)
        return "the upper 32 bits are lost: the mask, and all else, must have 64 bits (uint64_t)";
    if (found < rounding.alignment)
        return "these are low bits. `x & mask` keeps the low bits, `x & ~mask` makes them zero";
    if (found % rounding.alignment != 0)
        return "this is no multiple of the alignment. The mask for 8 is 7: one less than the "
               "alignment";
    return "the result is a multiple of the alignment, not below the number, and as small as "
           "possible";
}

static void print_call(struct judge *judge, struct rounding rounding)
{
    if (rounding.number > UINT32_MAX)
        judge_call(judge, "round_up(0x%llx, 0x%llx)", (unsigned long long)rounding.number,
                   (unsigned long long)rounding.alignment);
    else
        judge_call(judge, "round_up(%llu, %llu)", (unsigned long long)rounding.number,
                   (unsigned long long)rounding.alignment);
}

static bool check_rounding(struct judge *judge, struct rounding rounding)
{
    print_call(judge, rounding);
    uint64_t found = lesson_05.round_up(rounding.number, rounding.alignment);
    judge_returned(judge);
    uint64_t right = right_rounding(rounding);
    const char *format = rounding.number > UINT32_MAX ? "returned 0x%llx" : "returned %llu";
    judge_say(judge, format, (unsigned long long)found);
    if (found == right)
        return true;
    if (rounding.number > UINT32_MAX)
        judge_wrong(judge, "%s returned 0x%llx. It must be 0x%llx", judge->call,
                    (unsigned long long)found, (unsigned long long)right);
    else
        judge_wrong(judge, "%s returned %llu. It must be %llu", judge->call,
                    (unsigned long long)found, (unsigned long long)right);
    return judge_hint(judge, "%s", rounding_hint(rounding, found));
}

static bool begin(struct bench *bench, struct bump_heap *heap, const char *name)
{
    bench_open(bench);
    judge_call(bench->judge, "begin(%smemory, %llu)", name, (unsigned long long)bench->size_bytes);
    lesson_05.begin(heap, bench->start, bench->size_bytes);
    judge_returned(bench->judge);
    judge_say(bench->judge, "memory = 0x...%03x",
              (unsigned)((uint64_t)(uintptr_t)bench->start % 4096));
    return bump_begun(bench, heap);
}

static bool allocate_each(struct bench *bench, const struct bench_request *requests, unsigned count)
{
    struct bump_heap heap = {0};
    if (!begin(bench, &heap, ""))
        return false;
    for (unsigned i = 0; i < count; i++) {
        judge_call(bench->judge, "allocate(%llu, %llu)", (unsigned long long)requests[i].size_bytes,
                   (unsigned long long)requests[i].alignment_bytes);
        void *address =
            lesson_05.allocate(&heap, requests[i].size_bytes, requests[i].alignment_bytes);
        judge_returned(bench->judge);
        if (!bump_allocated(bench, &heap, address, requests[i]))
            return false;
    }
    return true;
}

/* Sizes and alignments in an order that looks like chance and is always the same. */
static struct bench_request chance(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t bits = *state >> 33;
    return (struct bench_request){(bits >> 8) % 100, UINT64_C(1) << bits % ALL_POWERS_UP};
}

static bool allocate_many(struct bench benches[2], struct bump_heap heaps[2])
{
    static const char *const names[] = {"first", "second"};
    uint64_t state = 5;
    judge_call(benches[0].judge, "allocate(size, alignment), up to %u calls for both heaps in turn",
               MANY);
    judge_returned(benches[0].judge);
    for (unsigned i = 0; i < MANY; i++) {
        struct bench *bench = &benches[i % 2];
        struct bench_request request = chance(&state);
        uint64_t offset;
        bench_select(bench);
        if (!bench_place(bench, request, &offset))
            break;
        judge_call_again(bench->judge, "allocate(%s, %llu, %llu)", names[i % 2],
                         (unsigned long long)request.size_bytes,
                         (unsigned long long)request.alignment_bytes);
        void *address =
            lesson_05.allocate(&heaps[i % 2], request.size_bytes, request.alignment_bytes);
        judge_returned(bench->judge);
        if (!bump_allocated_again(bench, &heaps[i % 2], address, request))
            return false;
    }
    return true;
}

static bool run_two_heaps(struct judge *judge, uint8_t *memory)
{
    struct bench benches[2];
    struct bump_heap heaps[2];
    static const char hint[] =
        "two heaps are in use at once. Keep everything in the heap's struct, nothing in a "
        "global or static variable";
    judge_say(judge, "Now two heaps at once, at odd addresses, with many blocks.");
    for (unsigned i = 0; i < 2; i++) {
        benches[i] = (struct bench){.judge = judge, .size_bytes = PART_BYTES + i};
        benches[i].start = memory + 333 + i * (PART_BYTES + 1002);
        benches[i].has_memory = benches[i].has_fence = benches[i].is_aligned = true;
        benches[i].hint = hint;
        heaps[i] = (struct bump_heap){memory, memory + 7, memory + 5};
        if (!begin(&benches[i], &heaps[i], i == 0 ? "first, " : "second, "))
            return false;
    }
    if (!allocate_many(benches, heaps))
        return false;
    judge_say(judge, "* = these blocks. The first heap, then the second one:");
    for (unsigned i = 0; i < 2; i++) {
        bench_select(&benches[i]);
        bench_draw(&benches[i]);
    }
    return true;
}

bool lesson_05_run(struct judge *judge)
{
    uint8_t *memory = judge->memory;
    for (unsigned i = 0; i < sizeof roundings / sizeof roundings[0]; i++)
        if (!check_rounding(judge, roundings[i]))
            return false;
    struct bench small = {.judge = judge, .start = memory + 0x41, .size_bytes = 48};
    small.has_memory = small.has_fence = small.is_aligned = true;
    struct bench large = small;
    large.start = memory + 0x303;
    large.size_bytes = 32 * 1024;
    return allocate_each(&small, small_requests,
                         sizeof small_requests / sizeof small_requests[0]) &&
           allocate_each(&large, large_requests,
                         sizeof large_requests / sizeof large_requests[0]) &&
           run_two_heaps(judge, memory);
}
