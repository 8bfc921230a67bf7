/* wrong: check(handoff: NULL) */
#include "lessons/lesson_02.h"

/* From the checksum on, the numbers are those that the loader wrote. They can still be wrong. */
static enum handoff_answer check_heap(uint64_t base, uint64_t size_bytes, uint64_t ram_start,
                                      uint64_t ram_end)
{
    if (size_bytes == 0)
        return NO_HEAP;
    if (base % HANDOFF_PAGE_SIZE_BYTES != 0 || size_bytes % HANDOFF_PAGE_SIZE_BYTES != 0)
        return HEAP_UNALIGNED;
    if (size_bytes > UINT64_MAX - base)
        return HEAP_WRAPS;
    if (base < ram_start || base + size_bytes > ram_end)
        return HEAP_OUTSIDE_RAM;
    return ACCEPTED;
}

static enum handoff_answer check(const struct handoff *handoff, uint64_t ram_start,
                                 uint64_t ram_end)
{
    if (handoff->magic != HANDOFF_MAGIC)
        return BAD_MAGIC;
    if (handoff->version_major != HANDOFF_VERSION_MAJOR)
        return BAD_VERSION;
    if (handoff->size_bytes < HANDOFF_SIZE_V2_BYTES ||
        handoff->size_bytes > HANDOFF_PAGE_SIZE_BYTES)
        return BAD_SIZE;
    if (handoff->checksum != handoff_checksum(handoff, handoff->size_bytes))
        return BAD_CHECKSUM;
    return check_heap(handoff->temp_heap_base, handoff->temp_heap_size, ram_start, ram_end);
}

const struct lesson_02 lesson_02 = {check};
