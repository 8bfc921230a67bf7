/* wrong: check(header of a) returned WRITE_AFTER_FREE, but the program has done nothing wrong */
#include "lessons/lesson_12.h"

#define LIVE   UINT64_C(0x4c49564564616d4c)
#define FREED  UINT64_C(0x6445455246656d46)
#define CANARY 0xc5
#define POISON 0xdd

static void allocated(struct header *header, uint64_t size_bytes)
{
    uint8_t *block = (uint8_t *)(header + 1);
    header->size_bytes = size_bytes;
    header->state = LIVE;
    fill_bytes(block + size_bytes, CANARY_BYTES, CANARY);
}

static enum verdict check(const struct header *header)
{
    const uint8_t *block = (const uint8_t *)(header + 1);
    if (header->state != LIVE && header->state != FREED)
        return UNDERRUN;
    if (!bytes_are(block + header->size_bytes, CANARY_BYTES, CANARY))
        return OVERRUN;
    if (!bytes_are(block, header->size_bytes, POISON))
        return WRITE_AFTER_FREE;
    return ALL_RIGHT;
}

static enum verdict freed(void *block)
{
    struct header *header = (struct header *)block - 1;
    if (header->state == FREED)
        return DOUBLE_FREE;
    if (header->state != LIVE)
        return BAD_POINTER;
    enum verdict verdict = check(header);
    if (verdict != ALL_RIGHT)
        return verdict;
    header->state = FREED;
    fill_bytes(block, header->size_bytes, POISON);
    return ALL_RIGHT;
}

const struct lesson_12 lesson_12 = {allocated, freed, check};
