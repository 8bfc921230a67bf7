#include "lessons/lesson_10_tables.h"

#include "shared/text/format.h"

#define FIRST_FRAME UINT64_C(0x200000) /* the physical address of the lesson's memory */
/* The content that the last user of a frame has left. As an entry, it is present and leads nowhere. */
#define OLD_ENTRY UINT64_C(0xa5a5a5a5a5a5a5a5)

typedef unsigned long long number; /* as %llx expects it */

static uint64_t *entries_of_frame(const struct tables *tables, unsigned frame)
{
    return (uint64_t *)(void *)(tables->judge->memory + frame * PAGE_BYTES);
}

bool tables_has_table(const struct tables *tables, uint64_t physical)
{
    return physical % PAGE_BYTES == 0 && physical >= FIRST_FRAME &&
           (physical - FIRST_FRAME) / PAGE_BYTES < tables->allocated;
}

/* Precondition: tables_has_table(). */
static uint64_t *entries_of(const struct tables *tables, uint64_t physical)
{
    return entries_of_frame(tables, (unsigned)((physical - FIRST_FRAME) / PAGE_BYTES));
}

/* Return how many bytes of addresses an entry of this level covers. */
static uint64_t span_bytes(unsigned level)
{
    uint64_t bytes = PAGE_BYTES;
    for (unsigned i = 1; i < level; i++)
        bytes *= ENTRY_COUNT;
    return bytes;
}

/* The lesson computes an index by division, and the reader by shifts. */
static unsigned own_index(unsigned level, uint64_t virtual)
{
    return (unsigned)(virtual / span_bytes(level) % ENTRY_COUNT);
}

/* --- The reader's view --- */

static uint64_t allocate(struct table_frames *frames)
{
    struct tables *tables = (struct tables *)(void *)frames;
    tables->refused = tables->allocated >= tables->limit;
    if (tables->refused)
        return 0;
    return FIRST_FRAME + tables->allocated++ * PAGE_BYTES;
}

/* For a wrong address, lend a frame of zeros, so that the lesson can explain the address later. */
static uint64_t *pointer(struct table_frames *frames, uint64_t physical)
{
    struct tables *tables = (struct tables *)(void *)frames;
    if (tables_has_table(tables, physical))
        return entries_of(tables, physical);
    if (!tables->misused)
        tables->bad_address = physical;
    tables->misused = true;
    uint64_t *entries = entries_of_frame(tables, TABLES_FRAME_LIMIT);
    for (unsigned i = 0; i < ENTRY_COUNT; i++)
        entries[i] = 0;
    return entries;
}

/* --- The truth --- */

void tables_begin(struct tables *ret_tables, struct judge *judge)
{
    *ret_tables = (struct tables){.frames = {allocate, pointer},
                                  .judge = judge,
                                  .root = FIRST_FRAME,
                                  .allocated = 1,
                                  .limit = TABLES_FRAME_LIMIT};
    for (unsigned frame = 0; frame <= TABLES_FRAME_LIMIT; frame++)
        for (unsigned i = 0; i < ENTRY_COUNT; i++)
            entries_of_frame(ret_tables, frame)[i] = frame == 0 ? 0 : OLD_ENTRY;
}

void tables_begin_call(struct tables *tables)
{
    tables->frames = (struct table_frames){allocate, pointer};
    tables->refused = false;
    tables->misused = false;
}

void tables_expect(struct tables *tables, const struct tables_page *page)
{
    if (tables->page_count < TABLES_PAGE_LIMIT)
        tables->pages[tables->page_count++] = *page;
}

void tables_forget(struct tables *tables, uint64_t virtual)
{
    for (unsigned i = 0; i < tables->page_count; i++)
        if (tables->pages[i].virtual == virtual)
            tables->pages[i] = tables->pages[--tables->page_count];
}

const struct tables_page *tables_find(const struct tables *tables, uint64_t virtual)
{
    for (unsigned i = 0; i < tables->page_count; i++)
        if (tables->pages[i].virtual == virtual - virtual % PAGE_BYTES)
            return &tables->pages[i];
    return NULL;
}

uint64_t *tables_last_entry(struct tables *tables, uint64_t virtual)
{
    uint64_t table = tables->root;
    for (unsigned level = HIGHEST_LEVEL; level > 1; level--)
        table = entries_of(tables, table)[own_index(level, virtual)] & ENTRY_ADDRESS;
    return &entries_of(tables, table)[own_index(1, virtual)];
}

void tables_map(struct tables *tables, const struct tables_page *page)
{
    uint64_t table = tables->root;
    for (unsigned level = HIGHEST_LEVEL; level > 1; level--) {
        uint64_t *entry = &entries_of(tables, table)[own_index(level, page->virtual)];
        if (*entry == 0) {
            *entry = allocate(&tables->frames) | ENTRY_PRESENT | ENTRY_WRITE;
            for (unsigned i = 0; i < ENTRY_COUNT; i++)
                entries_of(tables, *entry & ENTRY_ADDRESS)[i] = 0;
        }
        table = *entry & ENTRY_ADDRESS;
    }
    *tables_last_entry(tables, page->virtual) = page->physical | page->flags | ENTRY_PRESENT;
    tables_expect(tables, page);
}

/* --- What the call used --- */

static bool is_page_frame(const struct tables *tables, uint64_t physical)
{
    for (unsigned i = 0; i < tables->page_count; i++)
        if (tables->pages[i].physical == physical - physical % PAGE_BYTES)
            return true;
    return false;
}

static const char *hint_for_address(const struct tables *tables, uint64_t physical)
{
    if (physical == 0 && tables->refused)
        return "allocate() had no frame left, and returned 0. Then map() must return false";
    if ((physical & ENTRY_ADDRESS) == (OLD_ENTRY & ENTRY_ADDRESS))
        return "this is the old content of a new table's frame. All 512 entries of an empty table "
               "are 0";
    if (!tables_has_table(tables, physical) && tables_has_table(tables, physical & ENTRY_ADDRESS))
        return "this is an address with flags in it: ENTRY_ADDRESS selects the bits of the address";
    if (is_page_frame(tables, physical & ENTRY_ADDRESS))
        return "a page is mapped to this frame. The entry of level 1 leads to a page, and not to "
               "one "
               "more table";
    if (physical == 0)
        return "an entry without ENTRY_PRESENT leads nowhere: look at this bit first";
    return "the addresses of tables come from `root`, from allocate(), and from entries above "
           "level 1";
}

bool tables_check_use(struct tables *tables)
{
    struct judge *judge = tables->judge;
    if (tables->misused) {
        judge_wrong(judge, "your code asked pointer() for a table at 0x%llx. No table is there",
                    (number)tables->bad_address);
        return judge_hint(judge, "%s", hint_for_address(tables, tables->bad_address));
    }
    for (unsigned frame = tables->allocated; frame < TABLES_FRAME_LIMIT; frame++)
        for (unsigned i = 0; i < ENTRY_COUNT; i++)
            if (entries_of_frame(tables, frame)[i] != OLD_ENTRY) {
                judge_wrong(judge, "%s changed the frame at 0x%llx, which is no table", judge->call,
                            (number)(FIRST_FRAME + frame * PAGE_BYTES));
                return judge_hint(judge, "a table ends behind its entry 511");
            }
    return true;
}

/* --- The walk --- */

/* A place in the tables, for sentences. */
struct place {
    unsigned level;
    uint64_t table;
    unsigned index;
    uint64_t entry;
};

static struct place place_at(const struct tables *tables, unsigned level, uint64_t table,
                             unsigned index)
{
    return (struct place){level, table, index, entries_of(tables, table)[index]};
}

static void say_entry(struct tables *tables, const struct place *place)
{
    judge_say(tables->judge, "entry %u of the table of level %u at 0x%llx is 0x%llx", place->index,
              place->level, (number)place->table, (number)place->entry);
}

static bool wrong_content(struct tables *tables)
{
    judge_wrong(tables->judge, "this entry is the old content of the frame of a new table");
    return judge_hint(tables->judge, "a new table must be empty: all its 512 entries are 0");
}

/* Check an entry that leads to a table. */
static bool check_link(struct tables *tables, const struct place *place)
{
    struct judge *judge = tables->judge;
    uint64_t table = place->entry & ENTRY_ADDRESS;
    if (place->entry == (table | ENTRY_PRESENT | ENTRY_WRITE) && tables_has_table(tables, table))
        return true;
    say_entry(tables, place);
    if (place->entry == OLD_ENTRY)
        return wrong_content(tables);
    if (!tables_has_table(tables, table)) {
        judge_wrong(judge, "this entry leads to 0x%llx, where no table is", (number)table);
        return judge_hint(judge,
                          "the levels 4, 3 and 2 lead to tables, at addresses that allocate() "
                          "has returned");
    }
    judge_wrong(judge, "this entry leads to a table, so its flags must be PRESENT and WRITE");
    return judge_hint(judge, "a page has a right only if every entry on its way grants it: these "
                             "grant all");
}

static bool check_leaf(struct tables *tables, const struct place *place,
                       const struct tables_page *page)
{
    struct judge *judge = tables->judge;
    uint64_t right = page->physical | page->flags | ENTRY_PRESENT;
    if (place->entry == right)
        return true;
    say_entry(tables, place);
    judge_wrong(judge, "this entry maps the page 0x%llx, so it must be 0x%llx",
                (number)page->virtual, (number)right);
    if (((place->entry ^ right) & ENTRY_ADDRESS) != 0)
        return judge_hint(judge, "the address in it is 0x%llx, and must be 0x%llx",
                          (number)(place->entry & ENTRY_ADDRESS), (number)page->physical);
    return judge_hint(judge, "the entry is the physical address, the flags, and ENTRY_PRESENT");
}

static bool explain_absent(struct tables *tables, const struct place *place,
                           const struct tables_page *page)
{
    struct judge *judge = tables->judge;
    say_entry(tables, place);
    judge_wrong(judge, "this entry is not present, so the page 0x%llx is not mapped",
                (number)page->virtual);
    if (place->entry != 0)
        return judge_hint(judge, "this entry has no flag ENTRY_PRESENT");
    if (page != &tables->pages[tables->page_count - 1])
        return judge_hint(judge, "the page was mapped before this call. Where an entry is present, "
                                 "use its table");
    return judge_hint(judge, "follow index_of(4), (3), (2) and (1) of this address through your "
                             "tables");
}

/* Follow a page of the truth from the root. */
static bool check_page(struct tables *tables, const struct tables_page *page)
{
    uint64_t table = tables->root;
    for (unsigned level = HIGHEST_LEVEL; level >= 1; level--) {
        struct place place = place_at(tables, level, table, own_index(level, page->virtual));
        if ((place.entry & ENTRY_PRESENT) == 0)
            return explain_absent(tables, &place, page);
        if (level == 1)
            return check_leaf(tables, &place, page);
        if (!check_link(tables, &place))
            return false;
        table = place.entry & ENTRY_ADDRESS;
    }
    return false;
}

static bool unexpected(struct tables *tables, const struct place *place, uint64_t address)
{
    say_entry(tables, place);
    if (place->entry == OLD_ENTRY)
        return wrong_content(tables);
    judge_wrong(tables->judge, "this entry maps 0x%llx, which must not be mapped", (number)address);
    return judge_hint(tables->judge, "only the entries on the way of one address change");
}

/* Return the first address that entry `index` of a table translates. The first entry of the table
 * translates `start`. The upper 16 bits of an address repeat bit 47. */
static uint64_t address_of_entry(unsigned level, uint64_t start, unsigned index)
{
    uint64_t address = start + index * span_bytes(level);
    bool upper_half = level == HIGHEST_LEVEL && index >= ENTRY_COUNT / 2;
    return upper_half ? address | UINT64_C(0xffff000000000000) : address;
}

/* Enter a table for the first time. */
static bool check_reached(struct tables *tables, const struct place *place)
{
    if (!check_link(tables, place))
        return false;
    bool *reached = &tables->reached[((place->entry & ENTRY_ADDRESS) - FIRST_FRAME) / PAGE_BYTES];
    if (*reached) {
        say_entry(tables, place);
        judge_wrong(tables->judge, "another entry leads to this table, too");
        return judge_hint(tables->judge, "each table has one entry that leads to it");
    }
    *reached = true;
    return true;
}

/* Look at the present entries of one table, whose first entry translates `start`. */
static bool walk(struct tables *tables, unsigned level, uint64_t table, uint64_t start)
{
    for (unsigned i = 0; i < ENTRY_COUNT; i++) {
        struct place place = place_at(tables, level, table, i);
        uint64_t address = address_of_entry(level, start, i);
        if ((place.entry & ENTRY_PRESENT) == 0)
            continue;
        if (level == 1) {
            if (tables_find(tables, address) == NULL)
                return unexpected(tables, &place, address);
            continue;
        }
        if (!check_reached(tables, &place) ||
            !walk(tables, level - 1, place.entry & ENTRY_ADDRESS, address))
            return false;
    }
    return true;
}

/* A frame that was given out and that no entry leads to is lost for ever. */
static bool check_lost(struct tables *tables)
{
    unsigned lost_count = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < tables->allocated; i++)
        if (!tables->reached[i]) {
            lost_count++;
            last = i;
        }
    if (tables->refused)
        tables->lost_count = lost_count;
    if (lost_count <= tables->lost_count)
        return true;
    judge_wrong(tables->judge,
                "no entry leads to the table at 0x%llx, which allocate() has returned",
                (number)(FIRST_FRAME + last * PAGE_BYTES));
    return judge_hint(tables->judge,
                      "call allocate() only where a table is missing, and fill the entry");
}

bool tables_check(struct tables *tables)
{
    for (unsigned i = tables->page_count; i-- > 0;)
        if (!check_page(tables, &tables->pages[i]))
            return false;
    for (unsigned i = 0; i < TABLES_FRAME_LIMIT; i++)
        tables->reached[i] = false;
    tables->reached[0] = true;
    return walk(tables, HIGHEST_LEVEL, tables->root, 0) && check_lost(tables);
}

/* --- The way, as text --- */

static const char *rights(uint64_t entry)
{
    if ((entry & ENTRY_WRITE) != 0)
        return (entry & ENTRY_NO_EXECUTE) != 0 ? "rw-" : "rwx";
    return (entry & ENTRY_NO_EXECUTE) != 0 ? "r--" : "r-x";
}

void tables_print_way(struct tables *tables, uint64_t virtual)
{
    char text[JUDGE_TEXT_BYTES];
    int length = 0;
    uint64_t table = tables->root;
    for (unsigned level = HIGHEST_LEVEL; level >= 1; level--) {
        unsigned index = own_index(level, virtual);
        uint64_t entry = entries_of(tables, table)[index];
        length += format_text(text + length, sizeof text - (size_t)length, "0x%llx[%u] -> ",
                              (number)table, index);
        table = entry & ENTRY_ADDRESS;
        if ((entry & ENTRY_PRESENT) == 0) {
            judge_say(tables->judge, "%snot present", text);
            return;
        }
        if (level > 1 && !tables_has_table(tables, table)) {
            judge_say(tables->judge, "%s0x%llx, which is no table", text, (number)table);
            return;
        }
        if (level == 1)
            judge_say(tables->judge, "%s0x%llx %s", text, (number)table, rights(entry));
    }
}
