#include "lessons/lesson_10.h"

#include "lessons/lesson_10_tables.h"
#include "shared/text/format.h"

typedef unsigned long long number; /* as %llx expects it */

#define READ_ONLY  ENTRY_NO_EXECUTE
#define READ_WRITE (ENTRY_WRITE | ENTRY_NO_EXECUTE)
#define CODE       UINT64_C(0)

/* --- Indices --- */

static const struct {
    uint64_t address;
    unsigned indices[HIGHEST_LEVEL]; /* of the levels 4, 3, 2, 1 */
} addresses[] = {
    {0x0000008080604567, {1, 2, 3, 4}},
    {0xffffd00000201fff, {416, 0, 1, 1}},
    {0xffffffffffffffff, {511, 511, 511, 511}},
};

static bool try_indices(struct judge *judge, unsigned number_of_address)
{
    uint64_t address = addresses[number_of_address].address;
    for (unsigned level = HIGHEST_LEVEL; level >= 1; level--) {
        unsigned right = addresses[number_of_address].indices[HIGHEST_LEVEL - level];
        judge_call(judge, "index_of(%u, 0x%llx)", level, (number)address);
        unsigned index = lesson_10.index_of(level, address);
        judge_returned(judge);
        judge_say(judge, "%u", index);
        if (index == right)
            continue;
        judge_wrong(judge, "%s returned %u. It must be %u", judge->call, index, right);
        if (index >= ENTRY_COUNT)
            return judge_hint(judge, "a table has 512 entries, so an index has 9 bits");
        return judge_hint(judge, "bits 0 to 11 are the offset in the page. Then come 9 bits for "
                                 "each level, level 1 first");
    }
    return true;
}

/* --- translate() --- */

static const struct tables_page given_pages[] = {
    {0xffffd00000001000, 0x5000, READ_WRITE},
    {0xffffffff80000000, 0x123456789000, CODE},
    {0x0000008080604000, 0x7000, READ_ONLY},
};

/* The first four are mapped. The way of the others ends at level 1, 2, 3 and 4. */
static const uint64_t questions[] = {
    0xffffd00000001000, 0xffffd00000001abc, 0xffffffff80000fff, 0x0000008080604567,
    0xffffd00000002000, 0xffffd00000200000, 0xffffd00040000000, 0x0000000000001000,
};

static bool explain_translation(struct tables *tables, uint64_t answer, uint64_t right)
{
    struct judge *judge = tables->judge;
    if (answer == NOT_MAPPED) {
        judge_wrong(judge, "%s returned NOT_MAPPED. It must be 0x%llx", judge->call, (number)right);
        return judge_hint(judge, "every entry on this way has ENTRY_PRESENT");
    }
    if (right == NOT_MAPPED) {
        judge_wrong(judge, "%s returned 0x%llx, but nothing is mapped there", judge->call,
                    (number)answer);
        return judge_hint(
            judge,
            "an entry counts only with ENTRY_PRESENT, on every level. Otherwise: NOT_MAPPED");
    }
    judge_wrong(judge, "%s returned 0x%llx. It must be 0x%llx", judge->call, (number)answer,
                (number)right);
    if (tables_has_table(tables, answer - answer % PAGE_BYTES))
        return judge_hint(judge, "a table is there. The entry of level 1 leads to the page");
    if (answer == right - right % PAGE_BYTES)
        return judge_hint(judge, "this is the start of the frame. The lowest 12 bits of the "
                                 "virtual address select a byte");
    return judge_hint(
        judge,
        "ENTRY_ADDRESS selects the address in the last entry. The lowest 12 bits are those of "
        "the virtual address");
}

static bool ask(struct tables *tables, uint64_t address)
{
    struct judge *judge = tables->judge;
    const struct tables_page *page = tables_find(tables, address);
    uint64_t right = page == NULL ? NOT_MAPPED : page->physical + address % PAGE_BYTES;
    unsigned allocated = tables->allocated;
    tables_begin_call(tables);
    judge_call(judge, "translate(0x%llx)", (number)address);
    uint64_t answer = lesson_10.translate(&tables->frames, tables->root, address);
    judge_returned(judge);
    tables_print_way(tables, address);
    if (!tables_check_use(tables))
        return false;
    if (tables->allocated != allocated)
        return judge_wrong(judge, "%s asked for a frame. It must change nothing", judge->call);
    if (answer != right)
        return explain_translation(tables, answer, right);
    if (answer == NOT_MAPPED)
        judge_say(judge, "NOT_MAPPED");
    else
        judge_say(judge, "0x%llx", (number)answer);
    return tables_check(tables);
}

/* Unmap a page as a careless kernel does: only one bit of the entry changes. */
static void unmap(struct tables *tables, uint64_t address)
{
    judge_say(tables->judge, "(now the lesson clears ENTRY_PRESENT in the last entry of 0x%llx)",
              (number)address);
    *tables_last_entry(tables, address) &= ~ENTRY_PRESENT;
    tables_forget(tables, address);
}

static bool try_translate(struct tables *tables)
{
    tables_begin(tables, tables->judge);
    judge_say(tables->judge, "(now the lesson makes tables that map three pages)");
    for (unsigned i = 0; i < sizeof given_pages / sizeof given_pages[0]; i++)
        tables_map(tables, &given_pages[i]);
    for (unsigned i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (!ask(tables, questions[i]))
            return false;
    unmap(tables, given_pages[0].virtual);
    return ask(tables, given_pages[0].virtual);
}

/* --- map() --- */

static const char *flags_text(uint64_t flags)
{
    if (flags == READ_WRITE)
        return "WRITE | NO_EXECUTE";
    if (flags == READ_ONLY)
        return "NO_EXECUTE";
    return flags == ENTRY_WRITE ? "WRITE" : "0";
}

static bool explain_refusal(struct tables *tables, const struct tables_page *page)
{
    struct judge *judge = tables->judge;
    tables_print_way(tables, page->virtual);
    if (tables->refused) {
        judge_wrong(judge, "map() returned false, but no table was missing");
        return judge_hint(judge, "call allocate() only where an entry is not present");
    }
    judge_wrong(judge, "map() returned false. It must map the page");
    return judge_hint(judge, "its last entry has no ENTRY_PRESENT, the flags are allowed, and "
                             "there are frames for tables");
}

static bool explain_success(struct tables *tables, const char *reason)
{
    judge_wrong(tables->judge, "map() returned true, but %s", reason);
    return judge_hint(tables->judge, "the comment above map() lists when it must return false");
}

/* `reason` says why it must return false; NULL if it must map the page. */
static bool try_map(struct tables *tables, struct tables_page page, const char *reason)
{
    struct judge *judge = tables->judge;
    tables_begin_call(tables);
    judge_call(judge, "map(0x%llx, 0x%llx, %s)", (number)page.virtual, (number)page.physical,
               flags_text(page.flags));
    bool mapped =
        lesson_10.map(&tables->frames, tables->root, page.virtual, page.physical, page.flags);
    judge_returned(judge);
    if (!tables_check_use(tables))
        return false;
    if (mapped && reason != NULL)
        return explain_success(tables, reason);
    if (!mapped && reason == NULL)
        return explain_refusal(tables, &page);
    if (mapped)
        tables_expect(tables, &page);
    if (!tables_check(tables))
        return false;
    if (mapped)
        tables_print_way(tables, page.virtual);
    else
        judge_say(judge, "false: %s", reason);
    judge_say(judge, "tables: %u, mapped pages: %u", tables->allocated, tables->page_count);
    return true;
}

static bool try_pages(struct tables *tables)
{
    static const struct tables_page pages[] = {
        {0xffffd00000000000, 0x5000, READ_ONLY},          /* three tables are missing */
        {0xffffd00000001000, 0x123456789000, READ_WRITE}, /* no table is missing */
        {0xffffd00000200000, 0x6000, READ_ONLY},          /* one is */
        {0xffffffff80000000, 0x7000, CODE},
        {0x0000000000400000, 0x8000, READ_WRITE},
        {0xfffffffffffff000, 0x9000, READ_ONLY},
    };
    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (!try_map(tables, pages[i], NULL))
            return false;
    return true;
}

static bool try_refusals(struct tables *tables)
{
    return try_map(tables, (struct tables_page){0xffffd00000001000, 0xa000, READ_ONLY},
                   "the page is mapped already") &&
           try_map(tables, (struct tables_page){0x401000, 0xb000, ENTRY_WRITE},
                   "the page would be writable and executable");
}

/* One frame is left, and three tables are missing. */
static bool try_without_frames(struct tables *tables)
{
    judge_say(tables->judge, "(now only one frame for a table is left)");
    tables->limit = tables->allocated + 1;
    return try_map(tables, (struct tables_page){0x8080604000, 0xd000, READ_WRITE},
                   "tables are missing, and there is no frame for the second") &&
           try_map(tables, (struct tables_page){0xffffd00000002000, 0xe000, READ_WRITE}, NULL);
}

bool lesson_10_run(struct judge *judge)
{
    if (judge->size_bytes < TABLES_MEMORY_BYTES)
        return judge_wrong(judge, "this lesson needs %llu bytes of memory, and got %llu",
                           (number)TABLES_MEMORY_BYTES, (number)judge->size_bytes);
    judge->memory_name = "memory";
    judge->fault_hint =
        "code cannot use a physical address: pointer() makes a pointer of it, to the entries 0 to "
        "511";
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        if (!try_indices(judge, i))
            return false;
    struct tables tables = {.judge = judge};
    if (!try_translate(&tables))
        return false;
    judge_say(judge, "(now all tables are gone, and the root is empty)");
    tables_begin(&tables, judge);
    if (!try_pages(&tables) || !try_refusals(&tables))
        return false;
    unmap(&tables, 0x400000);
    return try_map(&tables, (struct tables_page){0x400000, 0xc000, READ_ONLY}, NULL) &&
           try_without_frames(&tables);
}
