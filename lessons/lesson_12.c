#include "lessons/lesson_12.h"

#include <stdarg.h>

#include "lessons/watched_heap.h"
#include "shared/text/format.h"

/* One of them is no multiple of 8: its canary begins in the middle of a word. */
static const uint64_t sizes_bytes[] = {24, 32, 13, 40};

struct scene {
    struct judge *judge;
    struct watched_heap heap;
    const char *act; /* the program's last act: "the program changed byte 3 of block b" */
    char act_text[JUDGE_TEXT_BYTES];
    const char *hint; /* if a better one is known than that of the verdict */
};

/* --- Words ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *missed;   /* a hint if this verdict was right, and another one came */
    const char *mistaken; /* a hint if this verdict came, and nothing was wrong */
} verdicts[] = {
    [ALL_RIGHT] = {"ALL_RIGHT", "", ""},
    [OVERRUN] =
        {"OVERRUN",
         "the canary begins directly behind the block's last byte; look at all its bytes",
         "do allocated() and check() use the same address, the same number of bytes and the "
         "same value for the canary?"},
    [UNDERRUN] =
        {"UNDERRUN", "header->state is LIVE or FREED, unless something else wrote there",
         "a state is right if it is one of two words: the one of allocated() or of freed()"},
    [WRITE_AFTER_FREE] =
        {"WRITE_AFTER_FREE",
         "freed() fills all bytes of the block with poison; check() looks at all",
         "only a freed block has poison. Do freed() and check() use the same bytes "
         "and the same value?"},
    [DOUBLE_FREE] = {"DOUBLE_FREE", "which state did your first freed() leave in the header?",
                     "a block is freed twice if its state says so before you change it"},
    [BAD_POINTER] =
        {"BAD_POINTER",
         "only a block has a header in front of it. Elsewhere the word there may be any "
         "number: choose states that programs rarely write",
         "the header lies directly in front of the block: 16 bytes, not 1"},
};

static const char *verdict_name(enum verdict verdict, char *buffer)
{
    unsigned number = (unsigned)verdict;
    if (number < sizeof verdicts / sizeof verdicts[0])
        return verdicts[number].name;
    format_text(buffer, JUDGE_TEXT_BYTES, "%u, which is no verdict", number);
    return buffer;
}

static unsigned long long offset_of(const struct scene *scene, const void *address)
{
    return (unsigned long long)((const uint8_t *)address - scene->heap.memory);
}

static void draw(struct scene *scene, const uint8_t *mark)
{
    struct drawing drawing;
    watched_heap_draw(&scene->heap, &drawing);
    if (mark != NULL)
        drawing_mark(&drawing, offset_of(scene, mark), "written");
    judge_draw(scene->judge, &drawing);
}

/* --- The reader's functions ------------------------------------------------------------------- */

static bool check_bytes(struct scene *scene, const struct watched_block *own)
{
    uint64_t offset_bytes;
    if (watched_heap_compare(&scene->heap, own, &offset_bytes))
        return true;
    judge_wrong(scene->judge, "%s changed the byte at heap_start + %llu", scene->judge->call,
                (unsigned long long)offset_bytes);
    if (own == NULL)
        return judge_hint(scene->judge,
                          "a check that finds a mistake, or only looks, writes nothing");
    return judge_hint(scene->judge,
                      "write only to the header, the %llu bytes of the block, and the %u bytes "
                      "behind them",
                      (unsigned long long)own->size_bytes, CANARY_BYTES);
}

static bool compare(struct scene *scene, enum verdict found, enum verdict expected)
{
    char name[JUDGE_TEXT_BYTES];
    if (found == expected)
        return true;
    judge_wrong(scene->judge, "%s returned %s, but %s: return %s", scene->judge->call,
                verdict_name(found, name), scene->act, verdicts[expected].name);
    if (scene->hint != NULL)
        return judge_hint(scene->judge, "%s", scene->hint);
    if (expected != ALL_RIGHT)
        return judge_hint(scene->judge, "%s", verdicts[expected].missed);
    if ((unsigned)found < sizeof verdicts / sizeof verdicts[0])
        return judge_hint(scene->judge, "%s", verdicts[found].mistaken);
    return judge_hint(scene->judge, "return one of the words of enum verdict");
}

static bool call_check(struct scene *scene, const struct watched_block *block,
                       enum verdict expected)
{
    struct judge *judge = scene->judge;
    format_text(judge->call, sizeof judge->call, "check(header of %c)", block->name);
    watched_heap_keep(&scene->heap);
    judge->in_reader_code = true;
    enum verdict found = lesson_12.check(block->header);
    judge_returned(judge);
    return check_bytes(scene, NULL) && compare(scene, found, expected);
}

static bool step_check(struct scene *scene, const struct watched_block *block,
                       enum verdict expected)
{
    judge_call(scene->judge, "check(header of %c)", block->name);
    if (!call_check(scene, block, expected))
        return false;
    judge_say(scene->judge, "it returned %s", verdicts[expected].name);
    return true;
}

static bool step_check_all(struct scene *scene)
{
    judge_call(scene->judge, "check() of each block");
    for (unsigned i = 0; i < scene->heap.block_count; i++)
        if (!call_check(scene, &scene->heap.blocks[i], ALL_RIGHT))
            return false;
    judge_say(scene->judge, "it returned ALL_RIGHT for all %u blocks", scene->heap.block_count);
    return true;
}

/* `own` is the block that freed() may change, or NULL. */
static bool call_freed(struct scene *scene, void *address, const struct watched_block *own,
                       enum verdict expected)
{
    watched_heap_keep(&scene->heap);
    scene->judge->in_reader_code = true;
    enum verdict found = lesson_12.freed(address);
    judge_returned(scene->judge);
    return compare(scene, found, expected) && check_bytes(scene, own);
}

static bool step_freed(struct scene *scene, struct watched_block *block, enum verdict expected)
{
    judge_call(scene->judge, "freed(%c)", block->name);
    if (!call_freed(scene, block->start, expected == ALL_RIGHT ? block : NULL, expected))
        return false;
    judge_say(scene->judge, "it returned %s", verdicts[expected].name);
    block->freed = block->freed || expected == ALL_RIGHT;
    draw(scene, NULL);
    return true;
}

static bool step_allocated(struct scene *scene, uint64_t size_bytes)
{
    struct judge *judge = scene->judge;
    struct watched_block *block = watched_heap_take(&scene->heap, size_bytes);
    judge_call(judge, "allocated(header, %llu)", (unsigned long long)size_bytes);
    watched_heap_keep(&scene->heap);
    lesson_12.allocated(block->header, size_bytes);
    judge_returned(judge);
    if (!check_bytes(scene, block))
        return false;
    if (block->header->size_bytes != size_bytes) {
        judge_wrong(judge, "after %s, header->size_bytes is 0x%llx", judge->call,
                    (unsigned long long)block->header->size_bytes);
        return judge_hint(judge, "the header is filled with old bytes: set its two fields");
    }
    judge_say(judge, "block %c: heap_start + %llu to + %llu", block->name,
              offset_of(scene, block->start), offset_of(scene, block->start + size_bytes));
    fill_bytes(block->start, size_bytes, (uint8_t)block->name);
    draw(scene, NULL);
    return true;
}

/* --- The program's acts ---------------------------------------------------------------------- */

static void set_act(struct scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set_act(struct scene *scene, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_text_v(scene->act_text, sizeof scene->act_text, format, arguments);
    va_end(arguments);
    scene->act = scene->act_text;
}

static void do_no_wrong(struct scene *scene)
{
    scene->act = "the program has done nothing wrong";
}

/* The lesson undoes what the program wrote, so that later steps do not find it again. */
static void undo(struct scene *scene, uint8_t *place, uint8_t old)
{
    *place = old;
    do_no_wrong(scene);
}

/* The program writes a 0, the end of a string, to one byte. Then check() looks. */
static bool write_zero(struct scene *scene, const struct watched_block *block, uint8_t *place,
                       const char *where, enum verdict expected)
{
    uint8_t old = *place;
    judge_call(scene->judge, "the program writes 0 %s block %c", where, block->name);
    judge_returned(scene->judge);
    set_act(scene, "the program wrote 0 %s block %c, at heap_start + %llu", where, block->name,
            offset_of(scene, place));
    *place = 0;
    draw(scene, place);
    if (old == 0)
        scene->hint =
            "the byte there was 0 before, so the write changed nothing: choose a value that "
            "programs rarely write";
    bool is_right = step_check(scene, block, expected);
    scene->hint = NULL;
    undo(scene, place, old);
    return is_right;
}

/* The program changes each of `count` bytes at `start`, one at a time. */
static bool change_each(struct scene *scene, const struct watched_block *block, uint8_t *start,
                        uint64_t count, const char *where, enum verdict expected)
{
    judge_call(scene->judge,
               "the program changes each of the %llu bytes %s block %c, one at a time",
               (unsigned long long)count, where, block->name);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t old = start[i];
        set_act(scene, "the program changed a byte %s block %c, at heap_start + %llu", where,
                block->name, offset_of(scene, start + i));
        start[i] = (uint8_t)~old;
        bool is_right = call_check(scene, block, expected);
        undo(scene, start + i, old);
        if (!is_right)
            return false;
    }
    judge_say(scene->judge, "check(header of %c) returned %s each time", block->name,
              verdicts[expected].name);
    return true;
}

/* A correct program may fill its block with any value. */
static bool write_every_value(struct scene *scene, struct watched_block *block)
{
    judge_call(scene->judge, "the program fills block %c with 0, with 1, and so on", block->name);
    for (unsigned value = 0; value < 256; value++) {
        fill_bytes(block->start, block->size_bytes, (uint8_t)value);
        set_act(scene, "the program has only filled its block %c with %u", block->name, value);
        if (!call_check(scene, block, ALL_RIGHT))
            return false;
    }
    do_no_wrong(scene);
    judge_say(scene->judge, "check(header of %c) returned ALL_RIGHT each time", block->name);
    return true;
}

/* The program frees an address inside of its block. The words in front of it are the program's. */
static bool free_inside(struct scene *scene, const struct watched_block *block)
{
    static const uint64_t words[] = {0, 1, 2, 3, 24, UINT64_MAX, UINT64_C(0x6161616161616161)};
    struct judge *judge = scene->judge;
    uint8_t *address = block->start + sizeof(struct header);
    judge_call(judge, "freed(%c + %u)", block->name, (unsigned)sizeof(struct header));
    judge_say(judge, "no block begins at this address: it lies inside block %c", block->name);
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        /* With this size, even the canary would be at its place. */
        *(struct header *)block->start = (struct header){.size_bytes = 8, .state = words[i]};
        set_act(scene,
                "no block begins there. The word in front is 0x%llx, a number of the program",
                (unsigned long long)words[i]);
        if (!call_freed(scene, address, NULL, BAD_POINTER))
            return false;
        judge_say(judge, "with the number 0x%llx in front of it, freed() returned BAD_POINTER",
                  (unsigned long long)words[i]);
    }
    fill_bytes(block->start, block->size_bytes, (uint8_t)block->name);
    do_no_wrong(scene);
    return true;
}

/* --- The lesson ------------------------------------------------------------------------------- */

static bool correct_program(struct scene *scene)
{
    do_no_wrong(scene);
    for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
        if (!step_allocated(scene, sizes_bytes[i]))
            return false;
    return step_check_all(scene) && write_every_value(scene, &scene->heap.blocks[2]) &&
           step_freed(scene, &scene->heap.blocks[1], ALL_RIGHT) && step_check_all(scene);
}

static bool overruns(struct scene *scene)
{
    struct watched_block *text = &scene->heap.blocks[2];
    struct watched_block *first = &scene->heap.blocks[0];
    uint8_t *end = text->start + text->size_bytes;
    if (!write_zero(scene, text, end, "directly behind", OVERRUN) ||
        !change_each(scene, text, end, CANARY_BYTES, "directly behind", OVERRUN) ||
        !change_each(scene, first, first->start + first->size_bytes, CANARY_BYTES,
                     "directly behind", OVERRUN))
        return false;
    uint8_t old = *end;
    set_act(scene, "the program changed the byte directly behind block %c", text->name);
    *end = (uint8_t)~old;
    bool is_right = step_freed(scene, text, OVERRUN);
    undo(scene, end, old);
    return is_right;
}

static bool underruns(struct scene *scene)
{
    struct watched_block *last = &scene->heap.blocks[3];
    return change_each(scene, last, last->start - sizeof(uint64_t), sizeof(uint64_t), "in front of",
                       UNDERRUN);
}

static bool uses_after_free(struct scene *scene)
{
    struct watched_block *old = &scene->heap.blocks[1];
    return write_zero(scene, old, old->start, "to the freed", WRITE_AFTER_FREE) &&
           change_each(scene, old, old->start, old->size_bytes, "of the freed", WRITE_AFTER_FREE);
}

static bool double_free(struct scene *scene, struct watched_block *block)
{
    set_act(scene, "block %c was freed before", block->name);
    bool is_right = step_freed(scene, block, DOUBLE_FREE);
    do_no_wrong(scene);
    return is_right;
}

/* The mistakes that were found do not disturb the rest. */
static bool correct_end(struct scene *scene)
{
    struct watched_block *blocks = scene->heap.blocks;
    return step_check_all(scene) && step_allocated(scene, 8) &&
           step_freed(scene, &blocks[2], ALL_RIGHT) &&
           change_each(scene, &blocks[2], blocks[2].start, blocks[2].size_bytes, "of the freed",
                       WRITE_AFTER_FREE) &&
           step_freed(scene, &blocks[0], ALL_RIGHT) && step_check_all(scene) &&
           double_free(scene, &blocks[2]) && step_check_all(scene);
}

bool lesson_12_run(struct judge *judge)
{
    struct scene scene = {.judge = judge};
    watched_heap_begin(&scene.heap, judge->memory);
    return correct_program(&scene) && overruns(&scene) && underruns(&scene) &&
           free_inside(&scene, &scene.heap.blocks[0]) && uses_after_free(&scene) &&
           double_free(&scene, &scene.heap.blocks[1]) && correct_end(&scene);
}
