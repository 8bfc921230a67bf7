#include "lessons/lesson_09.h"

#define FRAME_COUNT  44u
#define BITMAP_BYTES ((FRAME_COUNT + 7) / 8)
/* The bitmap lies between bytes that the reader's code must not change. An address in place of a
 * frame number changes a byte at most this far behind. */
#define BEFORE_BYTES 4096u
#define ALL_BYTES    (48u * 1024)
/* The old content of the memory. The bits of the last frames are mixed. */
#define OLD_CONTENT 0xa5u

#define RESERVED '#'
#define FREE     '.'

struct machine {
    struct judge *judge;
    struct frame_map map; /* the reader's */
    uint8_t *bits;
    /* The truth: a character for each frame, RESERVED, FREE, or the letter of its allocation. */
    char frames[FRAME_COUNT + 1];
    unsigned name_count;
    /* The region of the step: a wrong bit is then explained with it. */
    uint64_t region_start;
    uint64_t region_end; /* 0: the step has none */
};

/* What firmware of the invented machine calls usable. */
static const struct {
    uint64_t start;
    uint64_t size_bytes;
    const char *note;
} regions[] = {
    {0x1000, 0x4000, "whole frames"},
    {0x6800, 0x3000, "starts and ends inside of a frame"},
    {0xa100, 0xe00, "lies inside of one frame"},
    {0xba00, 0x1000, "as long as a frame, and contains none"},
    {0x10000, 0xd000, "whole frames"},
    {0x2a000, 0x8000, "ends behind the last frame"},
};

enum operation { ALLOCATE, RUN, FREE_FRAME, SET_SPARE_BITS };

/* The results are not in this table: the truth decides them. */
static const struct {
    enum operation operation;
    uint64_t value; /* of RUN: a count; of FREE_FRAME: an address; of SET_SPARE_BITS: 0 or 1 */
} operations[] = {
    {ALLOCATE, 0},
    {ALLOCATE, 0},
    {ALLOCATE, 0},
    {ALLOCATE, 0},
    {ALLOCATE, 0}, /* not in the first region any more */
    {FREE_FRAME, 0x2000},
    {FREE_FRAME, 0x2000}, /* a double free */
    {FREE_FRAME, 0x3800}, /* the middle of a frame in use */
    {SET_SPARE_BITS, 1},
    {FREE_FRAME, 0x2c000}, /* just behind the last frame */
    {FREE_FRAME, 0x2d000}, /* behind the last frame, in the last byte of the bitmap */
    {FREE_FRAME, 0x90000}, /* behind the bitmap */
    {ALLOCATE, 0},         /* the freed one again */
    {FREE_FRAME, 0x3000},
    {RUN, 2},  /* single free frames are no run */
    {RUN, 11}, /* fits exactly */
    {SET_SPARE_BITS, 0},
    {RUN, 3}, /* only two frames are left at the end */
    {RUN, 2}, /* the last frames */
    {RUN, 1},
    {ALLOCATE, 0},
    {ALLOCATE, 0}, /* nothing is left */
    {RUN, 1000},
    {FREE_FRAME, 0x2b000}, /* the last frame */
    {ALLOCATE, 0},
};

/* --- The state --- */

static void draw(struct machine *machine)
{
    struct judge *judge = machine->judge;
    judge_say(judge, "frame 0 |%s| %u frames", machine->frames, FRAME_COUNT);
    if (judge->outlet.picture == NULL)
        return;
    struct drawing drawing;
    drawing_begin(&drawing, FRAME_COUNT * FRAME_BYTES);
    for (unsigned i = 0, end; i < FRAME_COUNT; i = end) {
        for (end = i + 1; end < FRAME_COUNT && machine->frames[end] == machine->frames[i];)
            end++;
        drawing_add(&drawing, i * FRAME_BYTES, end * FRAME_BYTES, machine->frames[i]);
    }
    judge->outlet.picture(judge->outlet.context, judge->call, &drawing);
}

static void set_all(struct machine *machine, char state)
{
    for (unsigned i = 0; i < FRAME_COUNT; i++)
        machine->frames[i] = state;
    machine->frames[FRAME_COUNT] = '\0';
}

static bool bit_of(const struct machine *machine, uint64_t frame)
{
    return (machine->bits[frame / 8] >> frame % 8 & 1) != 0;
}

/* Print the reader's bits, and below them the right ones. */
static void print_bits(struct machine *machine)
{
    char bits[FRAME_COUNT + 1] = {0};
    char right[FRAME_COUNT + 1] = {0};
    for (unsigned i = 0; i < FRAME_COUNT; i++) {
        bits[i] = bit_of(machine, i) ? '1' : '0';
        right[i] = machine->frames[i] == FREE ? '0' : '1';
    }
    judge_say(machine->judge, "your bits  |%s| (frame 0 is on the left)", bits);
    judge_say(machine->judge, "must be    |%s|", right);
}

static const char *holder(char state, char *buffer)
{
    if (state == RESERVED)
        return "reserved";
    buffer[0] = state;
    buffer[1] = '\0';
    return buffer;
}

/* --- Checks after every call --- */

static bool check_members(struct machine *machine)
{
    struct judge *judge = machine->judge;
    if (machine->map.bits == machine->bits && machine->map.frame_count == FRAME_COUNT)
        return true;
    if (machine->map.bits != machine->bits)
        judge_wrong(judge, "after %s, map->bits is not the address that begin() got", judge->call);
    else
        judge_wrong(judge, "after %s, map->frame_count is %llu. It must be %u", judge->call,
                    (unsigned long long)machine->map.frame_count, FRAME_COUNT);
    return judge_hint(judge,
                      "begin() sets both members of the map. No other function changes them");
}

static bool check_around(struct machine *machine)
{
    struct judge *judge = machine->judge;
    for (uint64_t i = 0; i < ALL_BYTES; i++) {
        if (judge->memory[i] == OLD_CONTENT ||
            (i >= BEFORE_BYTES && i < BEFORE_BYTES + BITMAP_BYTES))
            continue;
        if (i < BEFORE_BYTES)
            judge_wrong(judge, "%s changed a byte before the bitmap", judge->call);
        else
            judge_wrong(judge, "%s changed bits[%llu], but the bitmap has only %u bytes",
                        judge->call, (unsigned long long)(i - BEFORE_BYTES), BITMAP_BYTES);
        return judge_hint(judge,
                          "a frame has a number, its address / 4096. The last is %u. The "
                          "byte of its bit is its number / 8",
                          FRAME_COUNT - 1);
    }
    return true;
}

/* Why a bit is wrong, if the step adds a region. */
static bool explain_region(struct machine *machine, uint64_t frame)
{
    struct judge *judge = machine->judge;
    uint64_t start = frame * FRAME_BYTES;
    uint64_t end = start + FRAME_BYTES;
    if (start >= machine->region_start && end <= machine->region_end)
        return judge_hint(
            judge,
            "all of this frame lies in the region. Rounding keeps a multiple of 4096 as it is");
    if (machine->region_start >= end || machine->region_end <= start)
        return judge_hint(judge, "this frame lies outside of the region. Which frame number comes "
                                 "from its start, and which "
                                 "from its end?");
    return judge_hint(
        judge,
        "only a part of this frame lies in the region. Which way do you round the start, and "
        "the end?");
}

static bool explain(struct machine *machine, uint64_t frame)
{
    struct judge *judge = machine->judge;
    if (machine->region_end != 0)
        return explain_region(machine, frame);
    if (machine->frames[frame] == FREE)
        return judge_hint(judge, "a frame is in use from its allocation until it is freed");
    if (machine->frames[frame] == RESERVED)
        return judge_hint(judge,
                          "unknown memory is reserved: a frame is in use until a region says "
                          "that it is usable");
    return judge_hint(judge, "the next allocate() must not find a frame that you have given out");
}

static bool check_bits(struct machine *machine)
{
    struct judge *judge = machine->judge;
    for (uint64_t i = 0; i < FRAME_COUNT; i++) {
        bool used = machine->frames[i] != FREE;
        if (bit_of(machine, i) == used)
            continue;
        print_bits(machine);
        judge_wrong(judge, "after %s, frame %llu (0x%llx to 0x%llx) is marked %s. It must be %s",
                    judge->call, (unsigned long long)i, (unsigned long long)(i * FRAME_BYTES),
                    (unsigned long long)((i + 1) * FRAME_BYTES), used ? "free" : "in use",
                    used ? "in use" : "free");
        return explain(machine, i);
    }
    return true;
}

static bool check(struct machine *machine)
{
    if (!check_members(machine) || !check_around(machine) || !check_bits(machine))
        return false;
    draw(machine);
    return true;
}

/* --- One bit --- */

static bool mark_one(struct machine *machine, uint64_t frame, bool used)
{
    judge_call(machine->judge, "mark(%llu, %s)", (unsigned long long)frame,
               used ? "true" : "false");
    lesson_09.mark(&machine->map, frame, used);
    judge_returned(machine->judge);
    machine->frames[frame] = used ? 'x' : FREE;
    if (!check_members(machine) || !check_around(machine))
        return false;
    for (uint64_t i = 0; i < FRAME_COUNT; i++) {
        if (bit_of(machine, i) == (machine->frames[i] != FREE))
            continue;
        print_bits(machine);
        judge_wrong(machine->judge, "after %s, the bit of frame %llu is %d", machine->judge->call,
                    (unsigned long long)i, bit_of(machine, i));
        return judge_hint(machine->judge, "frame n has bit n %% 8 of bits[n / 8]. The other seven "
                                          "bits of the byte belong to other frames");
    }
    return true;
}

static bool ask_one(struct machine *machine, uint64_t frame)
{
    bool right = machine->frames[frame] != FREE;
    judge_call(machine->judge, "is_used(%llu)", (unsigned long long)frame);
    bool used = lesson_09.is_used(&machine->map, frame);
    judge_returned(machine->judge);
    if (used == right)
        return check_members(machine) && check_around(machine) && check_bits(machine);
    judge_wrong(machine->judge, "%s returned %s, but bits[%llu] is 0x%02x", machine->judge->call,
                used ? "true" : "false", (unsigned long long)(frame / 8), machine->bits[frame / 8]);
    return judge_hint(machine->judge, "frame %llu has bit %llu of this byte. 1: in use",
                      (unsigned long long)frame, (unsigned long long)(frame % 8));
}

/* Here the lesson has filled the map itself: all frames are free. */
static bool try_bits(struct machine *machine)
{
    set_all(machine, FREE);
    for (unsigned i = 0; i < BITMAP_BYTES; i++)
        machine->bits[i] = 0;
    machine->map = (struct frame_map){machine->bits, FRAME_COUNT};
    return mark_one(machine, 10, true) && mark_one(machine, 15, true) &&
           mark_one(machine, 43, true) && ask_one(machine, 15) && ask_one(machine, 14) &&
           ask_one(machine, 7) && mark_one(machine, 10, false) && mark_one(machine, 10, false) &&
           ask_one(machine, 10) && ask_one(machine, 43);
}

/* --- The map of the machine --- */

static bool try_begin(struct machine *machine)
{
    struct judge *judge = machine->judge;
    set_all(machine, RESERVED);
    for (unsigned i = 0; i < BITMAP_BYTES; i++)
        machine->bits[i] = OLD_CONTENT;
    machine->map = (struct frame_map){0};
    judge_call(judge, "begin(map, bits, %u)", FRAME_COUNT);
    lesson_09.begin(&machine->map, machine->bits, FRAME_COUNT);
    judge_returned(judge);
    judge_say(judge, "one character is one frame: # reserved, . free, a letter: allocated");
    return check(machine);
}

static void free_inside(struct machine *machine)
{
    for (uint64_t i = 0; i < FRAME_COUNT; i++)
        if (i * FRAME_BYTES >= machine->region_start &&
            (i + 1) * FRAME_BYTES <= machine->region_end)
            machine->frames[i] = FREE;
}

static bool try_regions(struct machine *machine)
{
    struct judge *judge = machine->judge;
    for (unsigned i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        machine->region_start = regions[i].start;
        machine->region_end = regions[i].start + regions[i].size_bytes;
        judge_call(judge, "add_region(0x%llx, 0x%llx)", (unsigned long long)regions[i].start,
                   (unsigned long long)regions[i].size_bytes);
        lesson_09.add_region(&machine->map, regions[i].start, regions[i].size_bytes);
        judge_returned(judge);
        judge_say(judge, "0x%llx to 0x%llx: %s", (unsigned long long)machine->region_start,
                  (unsigned long long)machine->region_end, regions[i].note);
        free_inside(machine);
        if (!check(machine))
            return false;
    }
    machine->region_end = 0;
    return true;
}

/* --- Allocations --- */

static bool is_run(const struct machine *machine, uint64_t first, uint64_t count)
{
    if (first >= FRAME_COUNT || count > FRAME_COUNT - first)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (machine->frames[first + i] != FREE)
            return false;
    return true;
}

/* The right answer. */
static uint64_t lowest_run(const struct machine *machine, uint64_t count)
{
    for (uint64_t first = 0; first < FRAME_COUNT; first++)
        if (is_run(machine, first, count))
            return first * FRAME_BYTES;
    return NO_FRAME;
}

/* The answer is an address whose frames are not all free. */
static bool explain_taken(struct machine *machine, uint64_t answer, uint64_t count)
{
    struct judge *judge = machine->judge;
    uint64_t frame = answer / FRAME_BYTES;
    char name[2];
    while (frame < FRAME_COUNT && machine->frames[frame] == FREE)
        frame++;
    if (frame >= FRAME_COUNT) {
        judge_wrong(judge, "%s returned 0x%llx. The frames from there on end behind the last frame",
                    judge->call, (unsigned long long)answer);
        return judge_hint(judge, "the last frame has the number frame_count - 1");
    }
    judge_wrong(judge, "%s returned 0x%llx, but frame %llu is in use there: %s", judge->call,
                (unsigned long long)answer, (unsigned long long)frame,
                holder(machine->frames[frame], name));
    if (count > 1)
        return judge_hint(
            judge,
            "a run has no gap: look at the count of your code when the next frame is in use");
    return judge_hint(judge, "give out a frame only if its bit is 0");
}

static bool explain_answer(struct machine *machine, uint64_t answer, uint64_t right, uint64_t count)
{
    struct judge *judge = machine->judge;
    unsigned long long first = answer;
    unsigned long long best = right;
    if (right == NO_FRAME && answer == 0) {
        judge_wrong(judge, "%s returned 0, which is the address of frame 0", judge->call);
        return judge_hint(judge, "return NO_FRAME if no frame is free");
    }
    if (answer == NO_FRAME) {
        judge_wrong(judge, "%s returned NO_FRAME, but frame %llu is free%s", judge->call,
                    best / FRAME_BYTES, count > 1 ? ", and the next ones are, too" : "");
        return judge_hint(judge, "look at all frames, from frame 0 to frame_count - 1");
    }
    if (right != NO_FRAME && answer == right / FRAME_BYTES) {
        judge_wrong(judge, "%s returned %llu. This is the number of the frame", judge->call, first);
        return judge_hint(judge, "the caller needs its address: the number * FRAME_BYTES");
    }
    if (answer % FRAME_BYTES != 0)
        return judge_wrong(judge, "%s returned 0x%llx, which is no multiple of 4096", judge->call,
                           first);
    if (!is_run(machine, answer / FRAME_BYTES, count))
        return explain_taken(machine, answer, count);
    judge_wrong(judge, "%s returned 0x%llx, but 0x%llx is free, too, and lower", judge->call, first,
                best);
    return judge_hint(judge, "begin the search at frame 0, and take the first that you find");
}

static bool check_answer(struct machine *machine, uint64_t answer, uint64_t count)
{
    uint64_t right = lowest_run(machine, count);
    if (answer != right)
        return explain_answer(machine, answer, right, count);
    if (right == NO_FRAME) {
        judge_say(machine->judge, "NO_FRAME");
        return check(machine);
    }
    char name = (char)('a' + machine->name_count++ % 26);
    for (uint64_t i = 0; i < count; i++)
        machine->frames[right / FRAME_BYTES + i] = name;
    judge_say(machine->judge, "%c = 0x%llx", name, (unsigned long long)right);
    return check(machine);
}

static bool try_allocate(struct machine *machine)
{
    judge_call(machine->judge, "allocate()");
    uint64_t answer = lesson_09.allocate(&machine->map);
    judge_returned(machine->judge);
    return check_answer(machine, answer, 1);
}

static bool try_run(struct machine *machine, uint64_t count)
{
    judge_call(machine->judge, "allocate_run(%llu)", (unsigned long long)count);
    uint64_t answer = lesson_09.allocate_run(&machine->map, count);
    judge_returned(machine->judge);
    return check_answer(machine, answer, count);
}

/* --- Frees --- */

/* NULL if the free is right, else why it must be refused. */
static const char *refusal(const struct machine *machine, uint64_t address)
{
    if (address % FRAME_BYTES != 0)
        return "the address is no multiple of 4096";
    if (address / FRAME_BYTES >= FRAME_COUNT)
        return "the address lies behind the last frame";
    if (machine->frames[address / FRAME_BYTES] == FREE)
        return "the frame is free already: this is a double free";
    return NULL;
}

static bool try_free(struct machine *machine, uint64_t address)
{
    struct judge *judge = machine->judge;
    const char *reason = refusal(machine, address);
    judge_call(judge, "free_frame(0x%llx)", (unsigned long long)address);
    bool answer = lesson_09.free_frame(&machine->map, address);
    judge_returned(judge);
    if (answer && reason != NULL) {
        judge_wrong(judge, "%s returned true, but %s", judge->call, reason);
        return judge_hint(judge, "check the address before you change the bit");
    }
    if (!answer && reason == NULL) {
        judge_wrong(judge, "%s returned false, but the frame is in use and can be freed",
                    judge->call);
        return judge_hint(judge, "its number is %llu. Its bit is 1 before the call",
                          (unsigned long long)(address / FRAME_BYTES));
    }
    if (reason == NULL)
        machine->frames[address / FRAME_BYTES] = FREE;
    judge_say(judge, reason == NULL ? "true" : "false: %s", reason);
    return check(machine);
}

/* The bits behind the last frame look like frames that are free, or in use. Code that reads them
 * takes them for frames. */
static void set_spare_bits(struct machine *machine, uint64_t value)
{
    uint8_t mask = (uint8_t)(0xffu << FRAME_COUNT % 8);
    uint8_t *last = &machine->bits[BITMAP_BYTES - 1];
    *last = (uint8_t)(value != 0 ? *last | mask : *last & ~mask);
}

static bool try_operations(struct machine *machine)
{
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        uint64_t value = operations[i].value;
        bool right = true;
        if (operations[i].operation == ALLOCATE)
            right = try_allocate(machine);
        else if (operations[i].operation == RUN)
            right = try_run(machine, value);
        else if (operations[i].operation == FREE_FRAME)
            right = try_free(machine, value);
        else
            set_spare_bits(machine, value);
        if (!right)
            return false;
    }
    return true;
}

bool lesson_09_run(struct judge *judge)
{
    if (judge->size_bytes < ALL_BYTES)
        return judge_wrong(judge, "this lesson needs %u bytes of memory, and got %llu", ALL_BYTES,
                           (unsigned long long)judge->size_bytes);
    judge->memory_name = "memory";
    judge->fault_hint = "compare a frame number with frame_count before you read or change its bit";
    struct machine machine = {.judge = judge, .bits = judge->memory + BEFORE_BYTES};
    for (uint64_t i = 0; i < ALL_BYTES; i++)
        judge->memory[i] = OLD_CONTENT;
    return try_bits(&machine) && try_begin(&machine) && try_regions(&machine) &&
           try_operations(&machine);
}
