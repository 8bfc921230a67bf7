#include "lessons/lesson_03.h"

#include "shared/text/format.h"

/* The memory is full of this byte before the lesson. A heap of this lesson writes nothing there. */
#define FILL UINT8_C(0x5a)

/* The second heap begins here. Its size is no power of two, and not the rest of the memory. */
#define SECOND_OFFSET_BYTES UINT64_C(131072)
#define SECOND_SIZE_BYTES   UINT64_C(40000)

/* An address so near behind `memory` is named by its distance. */
#define NEAR_BYTES (UINT64_C(1) << 20)

/* An address so far behind another one has the same lower 32 bits. */
#define WIDE (UINT64_C(1) << 32)

static const uint64_t sizes_bytes[] = {24, 100, 1, 4096};

/* A size that does not fit into 16 bits. */
#define LARGE_BYTES UINT64_C(70000)

/* One of the reader's heaps, and the truth about it. */
struct trial {
    const char *name; /* as the steps call it */
    struct bump_heap heap;
    uint8_t *memory;
    uint64_t size_bytes;
    uint64_t used_bytes;
    bool two_heaps; /* the other heap exists, too */
};

/* An address of which a question is asked. */
struct question {
    const char *place;
    const uint8_t *address;
    bool inside;
    bool in_use;
    const char *hint; /* if the answer is wrong, or NULL */
};

static void draw(struct judge *judge, const struct trial *trial)
{
    struct drawing drawing;
    drawing_begin(&drawing, trial->size_bytes);
    drawing_add(&drawing, 0, trial->used_bytes, 'u');
    drawing_mark(&drawing, trial->used_bytes, "free");
    judge_draw(judge, &drawing);
}

/* Name an address as begin() names it: from `memory` on. */
static const char *place_of(const struct judge *judge, const struct trial *trial,
                            const uint8_t *address, char *buffer)
{
    uint64_t offset_bytes = (uint64_t)((uintptr_t)address - (uintptr_t)trial->memory);
    struct judge view = *judge;
    view.memory = trial->memory;
    view.size_bytes = trial->size_bytes;
    if (offset_bytes == 0)
        format_text(buffer, JUDGE_TEXT_BYTES, "memory");
    else if (offset_bytes <= NEAR_BYTES)
        format_text(buffer, JUDGE_TEXT_BYTES, "memory + %llu", (unsigned long long)offset_bytes);
    else
        judge_place(&view, address, buffer);
    return buffer;
}

static bool check_address(struct judge *judge, const struct trial *trial, const char *field,
                          const uint8_t *address, const uint8_t *expected, const char *hint)
{
    if (address == expected)
        return true;
    char place[JUDGE_TEXT_BYTES];
    char expected_place[JUDGE_TEXT_BYTES];
    judge_wrong(judge, "after %s, %s->%s is %s. It must be %s", judge->call, trial->name, field,
                place_of(judge, trial, address, place),
                place_of(judge, trial, expected, expected_place));
    return judge_hint(judge, "%s", hint);
}

static bool check_memory(struct judge *judge)
{
    for (uint64_t i = 0; i < SECOND_OFFSET_BYTES + SECOND_SIZE_BYTES; i++)
        if (judge->memory[i] != FILL) {
            judge_wrong(judge, "%s wrote into the memory of the heap, at byte %llu", judge->call,
                        (unsigned long long)i);
            return judge_hint(judge, "to say that bytes are in use, change `free`. The bytes "
                                     "themselves are their user's");
        }
    return true;
}

static const char *free_hint(const struct trial *trial)
{
    if (trial->used_bytes == trial->size_bytes)
        return "this call fills the heap to its last byte. Then free is heap_end, and that is "
               "right";
    if (trial->two_heaps)
        return "there are two heaps now. All of a heap is in *heap, nothing in other variables";
    if (trial->used_bytes == 0)
        return "it is the first byte that nobody uses yet, and nothing is in use";
    return "it is the first byte that nobody uses yet. take() moves it by size_bytes, and no other "
           "function moves it";
}

/* Check all three addresses after a call. A call that should only look must not change them. */
static bool check_heap(struct judge *judge, const struct trial *trial)
{
    const struct bump_heap *heap = &trial->heap;
    uint8_t *end = trial->memory + trial->size_bytes;
    return check_address(judge, trial, "heap_start", heap->heap_start, trial->memory,
                         "it is the address `memory`, and stays there") &&
           check_address(judge, trial, "heap_end", heap->heap_end, end,
                         "it is the first byte behind the heap: memory + size_bytes") &&
           check_address(judge, trial, "free", heap->free, trial->memory + trial->used_bytes,
                         free_hint(trial)) &&
           check_memory(judge);
}

static bool check_count(struct judge *judge, const struct trial *trial, uint64_t answer_bytes,
                        uint64_t expected_bytes, const char *hint)
{
    judge_say(judge, "%llu bytes", (unsigned long long)answer_bytes);
    if (answer_bytes == expected_bytes)
        return check_heap(judge, trial);
    judge_wrong(judge, "%s returned %llu. It must be %llu", judge->call,
                (unsigned long long)answer_bytes, (unsigned long long)expected_bytes);
    if (answer_bytes == expected_bytes + 1 || answer_bytes + 1 == expected_bytes)
        return judge_hint(judge, "you are wrong by one: the end of a range is not part of it");
    if (answer_bytes == trial->size_bytes - expected_bytes)
        return judge_hint(judge, "these are the other bytes: look where `free` stands");
    return judge_hint(judge, "%s", hint);
}

static bool check_counts(struct judge *judge, const struct trial *trial)
{
    judge_call(judge, "used_bytes(%s)", trial->name);
    uint64_t used_bytes = lesson_03.used_bytes(&trial->heap);
    judge_returned(judge);
    if (!check_count(judge, trial, used_bytes, trial->used_bytes,
                     "the bytes in use go from heap_start up to free"))
        return false;
    judge_call(judge, "free_bytes(%s)", trial->name);
    uint64_t free_bytes = lesson_03.free_bytes(&trial->heap);
    judge_returned(judge);
    return check_count(judge, trial, free_bytes, trial->size_bytes - trial->used_bytes,
                       "the free bytes go from free up to heap_end");
}

static const char *yes_or_no(bool answer)
{
    return answer ? "true" : "false";
}

static bool check_answer(struct judge *judge, const struct trial *trial, bool answer, bool expected,
                         const char *hint)
{
    judge_say(judge, "%s", yes_or_no(answer));
    if (answer == expected)
        return check_heap(judge, trial);
    judge_wrong(judge, "%s returned %s. It must be %s", judge->call, yes_or_no(answer),
                yes_or_no(expected));
    return judge_hint(judge, "%s", hint);
}

static bool ask_inside(struct judge *judge, const struct trial *trial,
                       const struct question *question)
{
    judge_call(judge, "is_inside(%s, %s)", trial->name, question->place);
    bool answer = lesson_03.is_inside(&trial->heap, question->address);
    judge_returned(judge);
    return check_answer(judge, trial, answer, question->inside,
                        question->hint != NULL
                            ? question->hint
                            : "heap_start is the first byte of the heap, heap_end the first behind "
                              "it. An address can be too low or too high");
}

static bool ask_in_use(struct judge *judge, const struct trial *trial,
                       const struct question *question)
{
    judge_call(judge, "is_in_use(%s, %s)", trial->name, question->place);
    bool answer = lesson_03.is_in_use(&trial->heap, question->address);
    judge_returned(judge);
    return check_answer(judge, trial, answer, question->in_use,
                        question->hint != NULL
                            ? question->hint
                            : "`free` is the first byte that nobody uses yet. Below heap_start "
                              "nothing is in use");
}

static bool check_questions(struct judge *judge, const struct trial *trial)
{
    static const char wide_hint[] =
        "the lower 32 bits of this address are those of heap_start. Is a "
        "variable or a cast only 32 bits wide?";
    uint8_t *start = trial->memory;
    uint8_t *free = start + trial->used_bytes;
    uint8_t *end = start + trial->size_bytes;
    bool some_used = trial->used_bytes > 0;
    bool all_used = free == end;
    const struct question questions[] = {
        {"heap_start", start, true, some_used, NULL},
        {"heap_start - 1", (uint8_t *)((uintptr_t)start - 1), false, false, NULL},
        {"free", free, !all_used, false, NULL},
        {"free - 1", (uint8_t *)((uintptr_t)free - 1), some_used, some_used, NULL},
        {"heap_end - 1", end - 1, true, all_used, NULL},
        {"heap_end", end, false, false, NULL},
        {"NULL", NULL, false, false, NULL},
        {"heap_start + 2^32", (uint8_t *)((uintptr_t)start + WIDE), false, false, wide_hint},
        {"the highest address", (const uint8_t *)UINTPTR_MAX, false, false, NULL},
    };
    for (unsigned i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (!ask_inside(judge, trial, &questions[i]) || !ask_in_use(judge, trial, &questions[i]))
            return false;
    return true;
}

static bool begin(struct judge *judge, struct trial *trial)
{
    judge_call(judge, "begin(%s, %s, %llu)", trial->name,
               trial->memory == judge->memory ? "memory" : "memory + 131072",
               (unsigned long long)trial->size_bytes);
    lesson_03.begin(&trial->heap, trial->memory, trial->size_bytes);
    judge_returned(judge);
    if (!check_heap(judge, trial))
        return false;
    draw(judge, trial);
    return true;
}

static bool take(struct judge *judge, struct trial *trial, uint64_t size_bytes)
{
    judge_call(judge, "take(%s, %llu)", trial->name, (unsigned long long)size_bytes);
    lesson_03.take(&trial->heap, size_bytes);
    judge_returned(judge);
    trial->used_bytes += size_bytes;
    if (!check_heap(judge, trial))
        return false;
    draw(judge, trial);
    return check_counts(judge, trial);
}

/* Two heaps at the same time: code that keeps an address in a global variable mixes them up. */
static bool run_two_heaps(struct judge *judge, struct trial *first, struct trial *second)
{
    first->two_heaps = true;
    second->two_heaps = true;
    if (!begin(judge, second) || !check_heap(judge, first))
        return false;
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
        if (!take(judge, i % 2 == 0 ? second : first, sizes_bytes[i] + 7))
            return false;
    return take(judge, second, second->size_bytes - second->used_bytes) &&
           check_questions(judge, second) && check_counts(judge, first);
}

bool lesson_03_run(struct judge *judge)
{
    struct trial first = {"heap", {0}, judge->memory, SECOND_OFFSET_BYTES, 0, false};
    struct trial second = {"other",           {0}, judge->memory + SECOND_OFFSET_BYTES,
                           SECOND_SIZE_BYTES, 0,   false};
    for (uint64_t i = 0; i < SECOND_OFFSET_BYTES + SECOND_SIZE_BYTES; i++)
        judge->memory[i] = FILL;
    if (!begin(judge, &first) || !check_counts(judge, &first) || !check_questions(judge, &first))
        return false;
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
        if (!take(judge, &first, sizes_bytes[i]))
            return false;
    return take(judge, &first, LARGE_BYTES) && check_questions(judge, &first) &&
           run_two_heaps(judge, &first, &second);
}
