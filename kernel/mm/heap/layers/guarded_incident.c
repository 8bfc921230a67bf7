/*
 * Find the block that a page fault in the guarded window belongs to (guarded.h).
 */
#include "kernel/mm/heap/layers/guarded_place.h"

/* Return the distance of the address from the block; 0 inside of the block. */
static size_t distance(const struct guarded_record *record, uintptr_t address)
{
    uintptr_t end = record->block + record->size_bytes;
    if (address < record->block)
        return record->block - address;
    return address < end ? 0 : address - end + 1;
}

/* Return the record of the block that is nearer to the address. One candidate is in the place that
 * contains the address, the other in the place before it. The guard page of a place lies behind the
 * block of the place before. */
static const struct guarded_record *nearest(const struct guarded *guarded, uintptr_t address)
{
    struct guarded_place place, before;
    const struct guarded_record *found = NULL;
    uintptr_t previous_address = address;
    if (guarded_place_find(guarded, address, &place)) {
        found = place.record;
        previous_address = place.start;
    } else if (address >= guarded->lanes_start) {
        previous_address =
            guarded->lanes_start + ((uintptr_t)guarded->lane_count << guarded->lane_shift);
    }
    if (!guarded_place_find(guarded, previous_address - 1, &before) || before.record == NULL)
        return found;
    if (found == NULL || distance(before.record, address) < distance(found, address))
        return before.record;
    return found;
}

bool guarded_find_incident(const struct heap *heap, const void *address,
                           struct guarded_incident *ret_incident)
{
    const struct guarded *guarded = guarded_of(heap);
    if (guarded == NULL || !guarded_has(guarded, address))
        return false;
    const struct guarded_record *record = nearest(guarded, (uintptr_t)address);
    *ret_incident = (struct guarded_incident){.kind = GUARDED_NOWHERE};
    if (record == NULL)
        return true;
    *ret_incident = (struct guarded_incident){
        .block = (const void *)record->block,
        .size_bytes = record->size_bytes,
        .distance_bytes = distance(record, (uintptr_t)address),
        .is_freed = record->life == GUARDED_FREED,
        .allocated_by = record->allocated_by,
        .freed_by = record->life == GUARDED_FREED ? record->freed_by : NULL,
    };
    if ((uintptr_t)address < record->block) {
        ret_incident->kind = GUARDED_BEFORE;
    } else if (ret_incident->distance_bytes != 0) {
        ret_incident->kind = GUARDED_BEHIND;
    } else {
        ret_incident->kind = record->life == GUARDED_LIVE ? GUARDED_INSIDE : GUARDED_USE_FREED;
        ret_incident->distance_bytes = (uintptr_t)address - record->block;
    }
    return true;
}
