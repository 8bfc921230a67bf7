/* wrong: your code asked pointer() for a table at 0x5a5a5a5a5a000 */
/* A new table keeps the old content of its frame. */
#include "lessons/lesson_10.h"

static unsigned index_of(unsigned level, uint64_t virtual)
{
    return (unsigned)(virtual >> (12 + 9 * (level - 1))) % ENTRY_COUNT;
}

static uint64_t translate(struct table_frames *frames, uint64_t root, uint64_t virtual)
{
    uint64_t address = root;
    for (unsigned level = HIGHEST_LEVEL; level >= 1; level--) {
        uint64_t entry = frames->pointer(frames, address)[index_of(level, virtual)];
        if ((entry & ENTRY_PRESENT) == 0)
            return NOT_MAPPED;
        address = entry & ENTRY_ADDRESS;
    }
    return address + virtual % PAGE_BYTES;
}

/* Fill the entry with the address of a new, empty table. */
static bool make_table(struct table_frames *frames, uint64_t *entry)
{
    uint64_t table = frames->allocate(frames);
    if (table == 0)
        return false;
    *entry = table | ENTRY_PRESENT | ENTRY_WRITE;
    return true;
}

static bool map(struct table_frames *frames, uint64_t root, uint64_t virtual, uint64_t physical,
                uint64_t flags)
{
    if ((flags & ENTRY_WRITE) != 0 && (flags & ENTRY_NO_EXECUTE) == 0)
        return false;
    uint64_t table = root;
    for (unsigned level = HIGHEST_LEVEL; level > 1; level--) {
        uint64_t *entry = &frames->pointer(frames, table)[index_of(level, virtual)];
        if ((*entry & ENTRY_PRESENT) == 0 && !make_table(frames, entry))
            return false;
        table = *entry & ENTRY_ADDRESS;
    }
    uint64_t *entry = &frames->pointer(frames, table)[index_of(1, virtual)];
    if ((*entry & ENTRY_PRESENT) != 0)
        return false;
    *entry = physical | flags | ENTRY_PRESENT;
    return true;
}

const struct lesson_10 lesson_10 = {index_of, translate, map};
