#include "lessons/lesson_06.h"

#include "lessons/bump_bench.h"
#include "lessons/bump_check.h"
#include "lessons/bump_words.h"
#include "shared/text/format.h"

/* Where a heap of addresses without memory begins: 12,287 bytes below the top of all addresses. */
#define TOP_START UINT64_C(0xffffffffffffd001)
/* Where a heap begins that has the largest alignment, 2^63, inside. */
#define MIDDLE_START ((UINT64_C(1) << 63) - 40)
#define ALL_64       UINT64_MAX
#define MANY         500u

/* A reader's heap and its bench. */
struct trial {
    struct bench bench;
    struct counting_heap heap;
    uint64_t refused_count;
    const char *name; /* "" or "second, " */
};

/* A request, and what its sizes are for. */
struct question {
    uint64_t size_bytes;
    uint64_t alignment_bytes;
    const char *size_text; /* in place of the number, or NULL */
    const char *hint;      /* if the answer is wrong */
};

static const struct question small_heap[] = {
    {16, 8, NULL, NULL},
    {100, 1, NULL, "compare size_bytes with the bytes that are left, before you move free"},
    {33, 1, NULL, "32 bytes are left, and 33 were asked for: one is too many"},
    {8, 8, NULL, "a refused request changes nothing, so smaller ones still fit"},
    {1, 1, NULL, NULL},
    {ALL_64, 1, "2^64 - 1",
     "free + size_bytes wraps to a small number. Compare size_bytes, as an unsigned number, with "
     "the bytes left"},
    {ALL_64 - 24, 1, "2^64 - 25",
     "free + 2^64 - 25 is free - 25: the sum wraps. Compare "
     "size_bytes with the bytes that are left"},
    {UINT64_C(1) << 63, 1, "2^63",
     "compare size_bytes itself: as a signed number it is negative, and "
     "its lower 32 bits are 0"},
    {(UINT64_C(1) << 32) + 4, 1, "2^32 + 4", "is there a variable of 32 bits? It keeps 4"},
    {17, 16, NULL, "23 bytes are left, but the gap takes 7 of them: 16 remain for the block"},
    {1, UINT64_C(1) << 63, NULL, "the next multiple of 2^63 is far behind heap_end, or wraps to 0"},
    {16, 16, NULL,
     "the gap takes 7 bytes and 16 remain: exactly enough. A block may end at "
     "heap_end"},
    {1, 1, NULL, "the heap is full: free is heap_end, and that byte is not in the heap"},
    {1, 4096, NULL, "the heap is full, and the next multiple is far behind its end"},
};

/* Its end is no multiple of anything: the rounded address can lie behind it. */
static const struct question odd_heap[] = {
    {37, 1, NULL, NULL},
    {1, 64, NULL,
     "the rounded address is behind heap_end. Then heap_end - address is negative: "
     "unsigned, that is huge"},
    {ALL_64 - 26, 64, "2^64 - 27",
     "the rounded address is behind heap_end, and address + "
     "size_bytes wraps: check the gap first, then the size"},
    {2, 8, NULL, "3 bytes are left, but the gap takes 2 of them"},
    {1, 8, NULL, "3 bytes are left, the gap takes 2, and 1 remains"},
    {1, 8, NULL, "the heap is full"},
};

static const struct question top_heap[] = {
    {16, 16, NULL, NULL},
    {1, 65536, NULL,
     "the next multiple of 65536 is 2^64. That does not fit into 64 bits and wraps "
     "to 0: rounding up can overflow, too"},
    {4096, 1, NULL, "4064 bytes are left"},
    {ALL_64, 4096, "2^64 - 1", "rounding and adding can both wrap: compare with the bytes left"},
    {3, 4096, NULL, "3 bytes behind the gap are one too many"},
    {1, 4096, NULL, NULL},
};

/* An alignment can be huge, and the block can still fit. */
static const struct question middle_heap[] = {
    {8, 8, NULL, NULL},
    {1, UINT64_C(1) << 63, NULL,
     "2^63 is a multiple of 2^63 and lies in this heap. Only the room decides, not the alignment"},
    {24, 1, NULL, "23 bytes are left"},
    {23, 1, NULL, "23 bytes are left: exactly enough"},
};

static struct bump_heap view(const struct counting_heap *heap)
{
    return (struct bump_heap){heap->heap_start, heap->heap_end, heap->free};
}

static bool check_count(struct trial *trial)
{
    struct judge *judge = trial->bench.judge;
    if (trial->heap.refused_count == trial->refused_count)
        return true;
    judge_wrong(judge, "after %s, heap->refused_count is %llu. It must be %llu", judge->call,
                (unsigned long long)trial->heap.refused_count,
                (unsigned long long)trial->refused_count);
    return judge_hint(judge,
                      "begin() sets it to 0. Each refused request adds 1 to the count of its "
                      "own heap, and nothing else changes it");
}

static bool begin(struct trial *trial)
{
    struct bench *bench = &trial->bench;
    bench_open(bench);
    judge_call(bench->judge, "begin(%smemory, %llu)", trial->name,
               (unsigned long long)bench->size_bytes);
    lesson_06.begin(&trial->heap, bench->start, bench->size_bytes);
    judge_returned(bench->judge);
    trial->refused_count = 0;
    struct bump_heap seen = view(&trial->heap);
    return check_count(trial) && bump_begun(bench, &seen);
}

/* A block was returned for a request that does not fit. It is never touched. */
static bool explain_too_large(struct trial *trial, const void *address, uint64_t left_bytes)
{
    struct judge *judge = trial->bench.judge;
    char place[JUDGE_TEXT_BYTES];
    judge_wrong(judge, "%s returned %s. The request does not fit: only %llu byte%s %s left",
                judge->call, judge_place(judge, address, place), (unsigned long long)left_bytes,
                left_bytes == 1 ? "" : "s", left_bytes == 1 ? "is" : "are");
    return words_hint(&trial->bench, "return NULL if the block does not fit");
}

static bool is_refused(struct trial *trial, const void *address)
{
    struct bench *bench = &trial->bench;
    struct bump_heap seen = view(&trial->heap);
    if (address != NULL)
        return explain_too_large(trial, address, bench->size_bytes - bench->used_bytes);
    if (seen.free != bench->start + bench->used_bytes) {
        char place[JUDGE_TEXT_BYTES];
        judge_wrong(bench->judge, "%s returned NULL, but it moved heap->free to %s",
                    bench->judge->call, judge_place(bench->judge, seen.free, place));
        if ((uint64_t)(uintptr_t)seen.free - (uint64_t)(uintptr_t)bench->start > bench->size_bytes)
            return words_hint(bench, "free must stay between heap_start and heap_end");
        return judge_hint(bench->judge, "check first, then move: a refused request changes nothing "
                                        "but refused_count");
    }
    trial->refused_count++;
    return check_count(trial) && bump_unchanged(bench, &seen);
}

static bool check_refused(struct trial *trial, const void *address)
{
    struct bench *bench = &trial->bench;
    if (!is_refused(trial, address))
        return false;
    judge_say(bench->judge, "refused: returned NULL, refused_count = %llu",
              (unsigned long long)trial->refused_count);
    bench_draw(bench);
    return true;
}

static void print_call(const struct trial *trial, const struct question *question)
{
    char size[24];
    char alignment[24];
    if (question->size_text != NULL)
        format_text(size, sizeof size, "%s", question->size_text);
    else
        format_text(size, sizeof size, "%llu", (unsigned long long)question->size_bytes);
    if (question->alignment_bytes == UINT64_C(1) << 63)
        format_text(alignment, sizeof alignment, "2^63");
    else
        format_text(alignment, sizeof alignment, "%llu",
                    (unsigned long long)question->alignment_bytes);
    judge_call(trial->bench.judge, "allocate(%s%s, %s)", trial->name, size, alignment);
}

static bool ask(struct trial *trial, const struct question *question)
{
    struct bench *bench = &trial->bench;
    struct bench_request request = {question->size_bytes, question->alignment_bytes};
    uint64_t offset;
    bench_select(bench);
    bench->hint = question->hint;
    bool is_right = bench_place(bench, request, &offset);
    print_call(trial, question);
    void *address = lesson_06.allocate(&trial->heap, request.size_bytes, request.alignment_bytes);
    judge_returned(bench->judge);
    if (!is_right)
        return check_refused(trial, address);
    struct bump_heap seen = view(&trial->heap);
    return bump_allocated(bench, &seen, address, request) && check_count(trial);
}

static bool ask_all(struct trial *trial, const struct question *questions, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!ask(trial, &questions[i]))
            return false;
    return true;
}

/* A number that looks like chance and is the same in every run. */
static uint64_t chance(uint64_t *state, uint64_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % limit;
}

/* Half of the sizes are close to the limit, with and without a gap. */
static struct bench_request any_request(const struct bench *bench, uint64_t *state)
{
    struct bench_request request = {1 + chance(state, 30), UINT64_C(1) << chance(state, 8)};
    uint64_t offset;
    bench_place(bench, request, &offset);
    uint64_t wanted = bench->size_bytes - offset + chance(state, 3) - 1;
    if (chance(state, 2) == 0 && wanted != 0)
        request.size_bytes = wanted; /* behind a gap that is too large, it is near 2^64 */
    return request;
}

static bool ask_again(struct trial *trial, struct bench_request request)
{
    struct bench *bench = &trial->bench;
    uint64_t offset;
    bool is_right = bench_place(bench, request, &offset);
    judge_call_again(bench->judge, "allocate(%llu, %llu)", (unsigned long long)request.size_bytes,
                     (unsigned long long)request.alignment_bytes);
    void *address = lesson_06.allocate(&trial->heap, request.size_bytes, request.alignment_bytes);
    judge_returned(bench->judge);
    struct bump_heap seen = view(&trial->heap);
    bool is_good = is_right ? bump_allocated_again(bench, &seen, address, request)
                            : is_refused(trial, address);
    if (is_good && check_count(trial))
        return true;
    judge_say(bench->judge, "this heap: memory = 0x...%03x, %llu bytes, * = its blocks",
              (unsigned)((uint64_t)(uintptr_t)bench->start % 4096),
              (unsigned long long)bench->size_bytes);
    bench_draw(bench);
    return false;
}

/* A heap of any start and any small size, and requests until it is full or nearly so. */
static bool run_any_heap(struct trial *trial, uint8_t *memory, uint64_t *state)
{
    struct bench *bench = &trial->bench;
    bench->start = memory + BENCH_FENCE_BYTES + chance(state, 300);
    bench->size_bytes = 1 + chance(state, 200);
    bench_open(bench);
    judge_call_again(bench->judge, "begin(memory, %llu)", (unsigned long long)bench->size_bytes);
    lesson_06.begin(&trial->heap, bench->start, bench->size_bytes);
    judge_returned(bench->judge);
    struct bump_heap seen = view(&trial->heap);
    trial->refused_count = 0;
    if (!words_begun(bench, &seen) || !check_count(trial))
        return false;
    for (unsigned i = 0; i < 12; i++)
        if (!ask_again(trial, any_request(bench, state)))
            return false;
    return true;
}

static bool run_many(struct judge *judge, uint8_t *memory)
{
    struct trial trial = {.name = "", .bench = {.judge = judge, .is_aligned = true}};
    trial.bench.has_memory = trial.bench.has_fence = trial.bench.is_untouched = true;
    uint64_t state = 6;
    judge_call(judge, "%u small heaps, each with 12 requests near its limit", MANY);
    judge_returned(judge);
    for (unsigned i = 0; i < MANY; i++)
        if (!run_any_heap(&trial, memory, &state))
            return false;
    judge_say(judge, "all right");
    return true;
}

static bool run_top(struct judge *judge)
{
    struct trial top = {.name = "", .bench = {.judge = judge, .is_aligned = true}};
    top.bench.start = (uint8_t *)(uintptr_t)TOP_START;
    top.bench.size_bytes = 4096;
    judge_say(judge, "Now a heap just below the end of all addresses. It has no memory: only "
                     "compute.");
    return begin(&top) && ask_all(&top, top_heap, sizeof top_heap / sizeof top_heap[0]);
}

static bool run_middle(struct judge *judge)
{
    struct trial middle = {.name = "", .bench = {.judge = judge, .is_aligned = true}};
    middle.bench.start = (uint8_t *)(uintptr_t)MIDDLE_START;
    middle.bench.size_bytes = 64;
    judge_say(judge, "Now a heap around the address 2^63. It has no memory, too.");
    return begin(&middle) &&
           ask_all(&middle, middle_heap, sizeof middle_heap / sizeof middle_heap[0]);
}

/* The whole memory as one block, while the count of another heap stays what it is. */
static bool run_whole(struct trial *other, uint8_t *memory, uint64_t size_bytes)
{
    struct judge *judge = other->bench.judge;
    const struct question too_large = {size_bytes + 1, 1, NULL, NULL};
    const struct question all = {size_bytes, 8, NULL, "this is exactly the size of the heap"};
    const struct question one = {1, 1, NULL, "each heap has its own count, in its own struct"};
    struct trial whole = {.name = "second, ", .bench = {.judge = judge, .is_aligned = true}};
    whole.bench.start = memory;
    whole.bench.size_bytes = size_bytes;
    whole.bench.has_memory = true;
    whole.heap = (struct counting_heap){memory, memory, memory + 1, 77};
    judge_say(judge, "Now two heaps at once: a second one, with the rest of the memory.");
    other->name = "first, ";
    return begin(&whole) && ask(&whole, &too_large) && ask(&whole, &all) && ask(other, &one) &&
           ask(&whole, &one);
}

bool lesson_06_run(struct judge *judge)
{
    uint8_t *memory = judge->memory;
    uint64_t size_bytes = judge->size_bytes;
    struct trial small = {.name = "", .bench = {.judge = judge, .start = memory + 64}};
    small.bench.size_bytes = 48;
    small.bench.has_memory = small.bench.has_fence = small.bench.is_aligned = true;
    small.bench.is_untouched = true;
    small.heap.refused_count = 77;
    struct trial odd = small;
    odd.bench.start = memory + 0x201;
    odd.bench.size_bytes = 40;
    if (!begin(&small) || !ask_all(&small, small_heap, sizeof small_heap / sizeof small_heap[0]))
        return false;
    judge_say(judge, "Now a heap that begins and ends at odd addresses.");
    return begin(&odd) && ask_all(&odd, odd_heap, sizeof odd_heap / sizeof odd_heap[0]) &&
           run_top(judge) && run_middle(judge) &&
           run_whole(&odd, memory + 4096, size_bytes - 4096) && run_many(judge, memory + 4096);
}
