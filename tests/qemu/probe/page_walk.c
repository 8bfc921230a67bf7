#include "tests/qemu/probe/page_walk.h"

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"

#define ENTRY_PRESENT    UINT64_C(1)
#define ENTRY_WRITE      UINT64_C(2)
#define ENTRY_USER       UINT64_C(4)
#define ENTRY_PWT        UINT64_C(8)
#define ENTRY_PCD        UINT64_C(0x10)
#define ENTRY_LARGE      UINT64_C(0x80)
#define ENTRY_GLOBAL     UINT64_C(0x100)
#define ENTRY_NO_EXECUTE UINT64_C(0x8000000000000000)
#define ENTRY_ADDRESS    UINT64_C(0x000ffffffffff000)

#define ENTRIES_PER_TABLE 512

static unsigned level_count(const struct handoff *handoff)
{
    return (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0 ? 5 : 4;
}

/* Return the lowest bit of the index into a table of this level. Level 1 holds 4 KiB pages. */
static unsigned level_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

/* Bit 7 is the size bit in levels 2 and 3, and a PAT bit in level 1. */
static bool entry_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (level <= 3 && (entry & ENTRY_LARGE) != 0);
}

static unsigned entry_pat_index(uint64_t entry, unsigned level)
{
    unsigned pat_bit = level == 1 ? 7 : 12;
    return (unsigned)(((entry >> pat_bit & 1) << 2) | ((entry & ENTRY_PCD) != 0 ? 2u : 0u) |
                      ((entry & ENTRY_PWT) != 0 ? 1u : 0u));
}

/* There is nothing above the root, so it allows everything. */
static struct page_leaf rights_of_root(void)
{
    struct page_leaf all = {.write = true, .execute = true, .user = true};
    return all;
}

/* Return the rights that remain of those above after this entry. */
static struct page_leaf rights_below(const struct page_leaf *above, uint64_t entry)
{
    struct page_leaf rights = *above;
    rights.write = above->write && (entry & ENTRY_WRITE) != 0;
    rights.execute = above->execute && (entry & ENTRY_NO_EXECUTE) == 0;
    rights.user = above->user && (entry & ENTRY_USER) != 0;
    return rights;
}

static struct page_leaf leaf_of_entry(const struct page_leaf *rights, uint64_t entry,
                                      unsigned level, uint64_t virtual)
{
    struct page_leaf leaf = *rights;
    leaf.size_bytes = UINT64_C(1) << level_shift(level);
    leaf.virtual = virtual & ~(leaf.size_bytes - 1);
    leaf.physical = entry & ENTRY_ADDRESS & ~(leaf.size_bytes - 1);
    leaf.global = (entry & ENTRY_GLOBAL) != 0;
    leaf.pat_index = entry_pat_index(entry, level);
    return leaf;
}

/* Copy the highest translated bit into all bits above it. */
static uint64_t canonical(const struct handoff *handoff, uint64_t virtual)
{
    unsigned unused_bits = 64 - level_shift(level_count(handoff) + 1);
    return (uint64_t)((int64_t)(virtual << unused_bits) >> unused_bits);
}

static void walk_table(const struct handoff *handoff, const struct page_visitor *visitor,
                       uint64_t table, unsigned level, uint64_t virtual_base,
                       const struct page_leaf *rights)
{
    if (visitor->table != NULL && !visitor->table(visitor->context, table))
        return;
    const uint64_t *entries = block_pointer(handoff, table);
    for (uint64_t i = 0; i < ENTRIES_PER_TABLE; i++) {
        uint64_t entry = entries[i];
        uint64_t virtual = virtual_base | i << level_shift(level);
        if ((entry & ENTRY_PRESENT) == 0)
            continue;
        struct page_leaf below = rights_below(rights, entry);
        if (!entry_is_leaf(entry, level)) {
            walk_table(handoff, visitor, entry & ENTRY_ADDRESS, level - 1, virtual, &below);
        } else if (visitor->leaf != NULL) {
            struct page_leaf leaf =
                leaf_of_entry(&below, entry, level, canonical(handoff, virtual));
            visitor->leaf(visitor->context, &leaf);
        }
    }
}

void page_walk(const struct handoff *handoff, const struct page_visitor *visitor)
{
    struct page_leaf rights = rights_of_root();
    walk_table(handoff, visitor, cpu_read_cr3() & ENTRY_ADDRESS, level_count(handoff), 0, &rights);
}

bool page_walk_find(const struct handoff *handoff, uint64_t virtual, struct page_leaf *ret_leaf)
{
    struct page_leaf rights = rights_of_root();
    uint64_t table = cpu_read_cr3() & ENTRY_ADDRESS;
    for (unsigned level = level_count(handoff); level >= 1; level--) {
        const uint64_t *entries = block_pointer(handoff, table);
        uint64_t entry = entries[virtual >> level_shift(level) & (ENTRIES_PER_TABLE - 1)];
        if ((entry & ENTRY_PRESENT) == 0)
            return false;
        rights = rights_below(&rights, entry);
        if (entry_is_leaf(entry, level)) {
            *ret_leaf = leaf_of_entry(&rights, entry, level, virtual);
            return true;
        }
        table = entry & ENTRY_ADDRESS;
    }
    return false;
}
