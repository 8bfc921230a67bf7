/* Lesson 10: page tables by hand. This is your file: edit it, then run `make lesson N=10`.
 * lessons/lesson_10.h has struct table_frames, the bits of an entry, and NOT_MAPPED. */
#include "lessons/lesson_10.h"

/* Return the index of the entry for this address, in a table of this level: 4, 3, 2 or 1. */
static unsigned index_of(unsigned level, uint64_t virtual)
{
    (void)level, (void)virtual; /* Your code, in place of these two lines. */
    return ENTRY_COUNT;
}

/* Return the physical address that the tables below `root` give for any virtual address, or
 * NOT_MAPPED. `root` is the physical address of the table of level 4. Change nothing. */
static uint64_t translate(struct table_frames *frames, uint64_t root, uint64_t virtual)
{
    (void)frames, (void)root, (void)virtual; /* Your code, in place of these two lines. */
    return NOT_MAPPED;
}

/* Map the page at `virtual` to the frame at `physical`. Both are multiples of PAGE_BYTES.
 * Its entry is: the physical address, ENTRY_PRESENT, and `flags`, which has ENTRY_WRITE,
 * ENTRY_NO_EXECUTE, both or none.
 * Where a table is missing, make an empty one. The entry that leads to a table is: its physical
 * address, ENTRY_PRESENT and ENTRY_WRITE. So only the last entry decides what is allowed.
 * Return true. Return false, and change no mapping, if
 *   - the page is mapped already;
 *   - the page would be writable and executable;
 *   - a table is missing, and there is no frame for it. */
static bool map(struct table_frames *frames, uint64_t root, uint64_t virtual, uint64_t physical,
                uint64_t flags)
{
    /* Your code, in place of these three lines. */
    (void)frames, (void)root, (void)virtual, (void)physical, (void)flags;
    return false;
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_10 lesson_10 = {index_of, translate, map};
