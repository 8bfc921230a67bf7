#include "tests/bench/frames/buddy.h"

#include <stddef.h>

static void push(struct buddy *buddy, uint64_t first, unsigned order)
{
    uint32_t head = buddy->heads[order];
    buddy->frames[first] = (struct buddy_frame){head, BUDDY_NONE, (uint8_t)order};
    if (head != BUDDY_NONE)
        buddy->frames[head].previous = (uint32_t)first;
    buddy->heads[order] = (uint32_t)first;
}

static void unlink_block(struct buddy *buddy, uint64_t first)
{
    struct buddy_frame *frame = &buddy->frames[first];
    if (frame->previous != BUDDY_NONE)
        buddy->frames[frame->previous].next = frame->next;
    else
        buddy->heads[frame->order] = frame->next;
    if (frame->next != BUDDY_NONE)
        buddy->frames[frame->next].previous = frame->previous;
    frame->order = BUDDY_NOT_FREE;
}

void buddy_initialise(struct buddy *buddy, void *memory, uint64_t frame_count)
{
    *buddy = (struct buddy){.frames = memory, .frame_count = frame_count};
    for (unsigned order = 0; order <= BUDDY_ORDER_MAX; order++)
        buddy->heads[order] = BUDDY_NONE;
    for (uint64_t i = 0; i < frame_count; i++)
        buddy->frames[i].order = BUDDY_NOT_FREE;
    for (uint64_t first = 0; first < frame_count;) {
        unsigned order = BUDDY_ORDER_MAX;
        while (first % (UINT64_C(1) << order) != 0 || first + (UINT64_C(1) << order) > frame_count)
            order--;
        push(buddy, first, order);
        first += UINT64_C(1) << order;
    }
}

bool buddy_get(struct buddy *buddy, unsigned order, uint64_t *ret_first)
{
    unsigned found = order;
    while (found <= BUDDY_ORDER_MAX && buddy->heads[found] == BUDDY_NONE)
        found++;
    if (found > BUDDY_ORDER_MAX)
        return false;
    uint64_t first = buddy->heads[found];
    unlink_block(buddy, first);
    while (found > order) {
        found--;
        push(buddy, first + (UINT64_C(1) << found), found);
    }
    *ret_first = first;
    return true;
}

bool buddy_put(struct buddy *buddy, uint64_t first, unsigned order)
{
    if (buddy->frames[first].order != BUDDY_NOT_FREE)
        return false;
    while (order < BUDDY_ORDER_MAX) {
        uint64_t other = first ^ UINT64_C(1) << order;
        if (other >= buddy->frame_count || buddy->frames[other].order != order)
            break;
        unlink_block(buddy, other);
        first = first < other ? first : other;
        order++;
    }
    push(buddy, first, order);
    return true;
}
