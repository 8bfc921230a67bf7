#include "kernel/mm/heap/layers/guarded_canary.h"

#include "kernel/mm/heap/layers/guarded_place.h"

/* No byte of it is ASCII, 0 or 0xff, since an overrun often writes one of these. */
uint64_t guarded_canary_for(uint64_t secret)
{
    uint64_t mixed = (secret + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed & UINT64_C(0x3e3e3e3e3e3e3e3e)) | UINT64_C(0x8181818181818181);
}

static uint8_t canary_byte(uint64_t canary, uintptr_t address)
{
    return (uint8_t)(canary >> (address % sizeof canary * 8));
}

/* Both ranges of canaries end at a multiple of 8: at a block, or at the end of a page. */
static void lay(uint64_t canary, uintptr_t start, uintptr_t end)
{
    for (; start < end && start % sizeof canary != 0; start++)
        *(uint8_t *)start = canary_byte(canary, start);
    for (; start < end; start += sizeof canary)
        *(uint64_t *)start = canary;
}

static bool are_intact(uint64_t canary, uintptr_t start, uintptr_t end)
{
    for (; start < end && start % sizeof canary != 0; start++) {
        if (*(const uint8_t *)start != canary_byte(canary, start))
            return false;
    }
    for (; start < end; start += sizeof canary) {
        if (*(const uint64_t *)start != canary)
            return false;
    }
    return true;
}

void guarded_canary_lay_behind(const struct guarded *guarded, const struct guarded_record *record)
{
    lay(guarded->canary, record->block + record->size_bytes,
        guarded_pages_end(record->block, record->size_bytes));
}

void guarded_canary_lay(const struct guarded *guarded, const struct guarded_record *record)
{
    lay(guarded->canary, guarded_page_down(record->block), record->block);
    guarded_canary_lay_behind(guarded, record);
}

const char *guarded_canary_broken_side(const struct guarded *guarded,
                                       const struct guarded_record *record)
{
    if (!are_intact(guarded->canary, guarded_page_down(record->block), record->block))
        return "the bytes before the block were overwritten";
    if (!are_intact(guarded->canary, record->block + record->size_bytes,
                    guarded_pages_end(record->block, record->size_bytes)))
        return "the bytes behind the block were overwritten";
    return NULL;
}
