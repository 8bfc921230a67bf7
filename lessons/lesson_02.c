#include "lessons/lesson_02.h"

#include "lessons/handoff_samples.h"
#include "shared/text/format.h"

#define BAR_CELL_COUNT 40u
#define BAR_CELL_BYTES (UINT64_C(16) << 20)

static const struct {
    const char *name;
    const char *hint; /* for code that should have given this answer */
} answers[HANDOFF_ANSWER_COUNT] = {
    [BAD_POINTER] = {"BAD_POINTER",
                     "look at the address itself before you read the memory to which it points"},
    [BAD_MAGIC] = {"BAD_MAGIC",
                   "without the magic, these bytes are no handoff. Then no other field means "
                   "anything"},
    [BAD_VERSION] = {"BAD_VERSION",
                     "another major version is another structure: the fields behind version_major "
                     "mean something else"},
    [BAD_SIZE] = {"BAD_SIZE",
                  "the checksum reads size_bytes bytes. So the size needs a lower and an upper "
                  "limit before"},
    [BAD_CHECKSUM] = {"BAD_CHECKSUM",
                      "handoff_checksum(handoff, handoff->size_bytes) says whether a byte has "
                      "changed"},
    [NO_HEAP] = {"NO_HEAP", "a size of 0 means that there is no heap, wherever it begins"},
    [HEAP_UNALIGNED] = {"HEAP_UNALIGNED", "base and size must both be multiples of the page size"},
    [HEAP_WRAPS] = {"HEAP_WRAPS",
                    "base + size does not fit into 64 bits. Find a comparison that cannot "
                    "overflow itself"},
    [HEAP_OUTSIDE_RAM] = {"HEAP_OUTSIDE_RAM",
                          "the first byte must not be below ram_start. The end must not be "
                          "above ram_end"},
    [ACCEPTED] = {"ACCEPTED",
                  "nothing is wrong with this one: which of your checks is too strict?"},
};

static const char *name_of(enum handoff_answer answer, char *buffer)
{
    if ((unsigned)answer < HANDOFF_ANSWER_COUNT)
        format_text(buffer, JUDGE_TEXT_BYTES, "%s", answers[answer].name);
    else
        format_text(buffer, JUDGE_TEXT_BYTES, "%u, which is no answer", (unsigned)answer);
    return buffer;
}

static bool overlaps(uint64_t start, uint64_t end, unsigned cell)
{
    return start < (cell + 1) * BAR_CELL_BYTES && end > cell * BAR_CELL_BYTES;
}

/* Show where the RAM and the heap are. Only for numbers that do not wrap. */
static void draw(struct judge *judge, const struct handoff_sample *sample,
                 const struct handoff *handoff)
{
    char cells[BAR_CELL_COUNT + 1];
    uint64_t heap_end = handoff->temp_heap_base + handoff->temp_heap_size;
    for (unsigned i = 0; i < BAR_CELL_COUNT; i++) {
        cells[i] = overlaps(sample->ram_start, sample->ram_end, i) ? '=' : '.';
        if (overlaps(handoff->temp_heap_base, heap_end, i))
            cells[i] = 'H';
    }
    cells[BAR_CELL_COUNT] = '\0';
    judge_say(judge, "0 |%s| 640 MiB  (H heap, = RAM, . no RAM)", cells);
}

static void print_heap(struct judge *judge, const struct handoff_sample *sample,
                       const struct handoff *handoff)
{
    if (sample->expected < NO_HEAP)
        return;
    judge_say(judge, "heap: base 0x%llx, size 0x%llx. RAM: 0x%llx up to 0x%llx",
              (unsigned long long)handoff->temp_heap_base,
              (unsigned long long)handoff->temp_heap_size, (unsigned long long)sample->ram_start,
              (unsigned long long)sample->ram_end);
    if (sample->expected == HEAP_OUTSIDE_RAM || sample->expected == ACCEPTED)
        draw(judge, sample, handoff);
}

static bool check_unchanged(struct judge *judge, const struct handoff_page *page,
                            const uint8_t *bytes)
{
    for (unsigned i = 0; i < sizeof *page; i++)
        if (bytes[i] != ((const uint8_t *)page)[i]) {
            judge_wrong(judge, "%s changed byte %u of the handoff", judge->call, i);
            return judge_hint(judge, "a check only reads");
        }
    return true;
}

static bool check_answer(struct judge *judge, enum handoff_answer answer,
                         enum handoff_answer expected)
{
    char name[JUDGE_TEXT_BYTES];
    judge_say(judge, "%s", name_of(answer, name));
    if (answer == expected)
        return true;
    judge_wrong(judge, "%s answered %s. The first answer that applies is %s", judge->call, name,
                answers[expected].name);
    return judge_hint(judge, "%s", answers[expected].hint);
}

/* The page lies at the start of the memory, or 8 bytes behind it. */
static bool check_sample(struct judge *judge, const struct handoff_sample *sample,
                         const struct handoff_page *page)
{
    uint8_t *place = judge->memory + (sample->place == PLACE_UNALIGNED ? 8 : 0);
    for (unsigned i = 0; i < sizeof *page; i++)
        place[i] = ((const uint8_t *)page)[i];
    const struct handoff *handoff =
        sample->place == PLACE_NULL ? NULL : (const struct handoff *)(const void *)place;
    judge_call(judge, "check(handoff: %s)", sample->title);
    enum handoff_answer answer = lesson_02.check(handoff, sample->ram_start, sample->ram_end);
    judge_returned(judge);
    print_heap(judge, sample, &page->handoff);
    return check_unchanged(judge, page, place) && check_answer(judge, answer, sample->expected);
}

bool lesson_02_run(struct judge *judge)
{
    struct handoff_sample sample;
    struct handoff_page page;
    for (unsigned i = 0; handoff_sample_make(i, &sample, &page); i++)
        if (!check_sample(judge, &sample, &page))
            return false;
    return true;
}
