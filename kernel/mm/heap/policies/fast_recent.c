#include "kernel/mm/heap/policies/fast_recent.h"

#include "kernel/mm/heap/policies/fast_class.h"

void fast_recent_initialise(struct fast_recent *recent)
{
    *recent = (struct fast_recent){0};
    recent->sizes[fast_recent_set_of(0)] = 1; /* which is in another set */
    for (size_t set = 0; set < FAST_RECENT_SETS; set++)
        recent->ends[set] = (uint32_t)(FAST_RECENT_DEPTH * set);
}

static uint8_t *newest(const struct fast_state *fast, size_t set)
{
    return fast_block_at(&fast->core, fast->recent.places[fast->recent.ends[set] - 1]);
}

/* Let the copy of the newest block's header follow the flag `previous`, which its neighbour may have
 * changed. False: the header was overwritten. */
static bool update_newest(struct fast_state *fast, size_t set)
{
    uint64_t word = sealed_header_word(newest(fast, set));
    uint64_t *copy = &fast->recent.words[fast->recent.ends[set] - 1];
    if (word != *copy && word != sealed_toggled(*copy, SEALED_PREVIOUS_FREE))
        return false;
    *copy = word;
    return true;
}

static bool release_newest(struct heap *heap, size_t set)
{
    struct fast_state *fast = fast_of(heap);
    uint8_t *block = newest(fast, set);
    if (!update_newest(fast, set))
        return sealed_record_corrupt(heap, block);
    fast->recent.ends[set]--;
    fast->recent.block_count--;
    uint64_t word = sealed_header_word(block);
    fast_class_count_blocks(fast, fast->recent.sizes[set], SIZE_MAX);
    sealed_write_tombstone(block, sealed_toggled(word, SEALED_LIVE));
    return fast_core_release(heap, block, word & ~SEALED_HASH_MASK);
}

bool fast_recent_miss(struct heap *heap, size_t size_bytes)
{
    struct fast_state *fast = fast_of(heap);
    size_t set = fast_recent_set_of(size_bytes);
    if (fast->recent.sizes[set] == size_bytes && update_newest(fast, set))
        return true;
    (void)release_newest(heap, set);
    return false;
}

bool fast_recent_make_room(struct heap *heap, size_t set)
{
    struct fast_recent *recent = &fast_of(heap)->recent;
    size_t victim = recent->next_victim++ % FAST_RECENT_SETS;
    return victim != set && !fast_recent_is_empty(recent, victim) && release_newest(heap, victim);
}

bool fast_recent_flush(struct heap *heap)
{
    bool released = false;
    if (fast_of(heap)->recent.block_count == 0)
        return false;
    for (size_t set = 0; set < FAST_RECENT_SETS; set++) {
        while (!fast_recent_is_empty(&fast_of(heap)->recent, set) && !heap->is_corrupt)
            released |= release_newest(heap, set);
    }
    return released;
}

/* --- Views ------------------------------------------------------------------------------------ */

static bool is_sound(const struct fast_state *fast, size_t set, size_t entry)
{
    uint64_t header;
    uint32_t place = fast->recent.places[entry];
    const uint8_t *block = fast_block_at(&fast->core, place);
    for (size_t earlier = FAST_RECENT_DEPTH * set; earlier < entry; earlier++) {
        if (fast->recent.places[earlier] == place)
            return false;
    }
    return place != 0 && fast_place_is_possible(&fast->core, place) &&
           sealed_read_header(fast->core.secret, block, &header) && fast_recent_is_kept(header) &&
           sealed_size(header) == fast->recent.sizes[set] &&
           sealed_alignment(header) == SEALED_UNIT_BYTES;
}

const char *fast_recent_check(const struct fast_state *fast, size_t kept_count)
{
    size_t count = 0;
    for (size_t set = 0; set < FAST_RECENT_SETS; set++) {
        size_t first = FAST_RECENT_DEPTH * set;
        size_t end = fast->recent.ends[set];
        if (end < first || end - first > FAST_RECENT_BLOCKS)
            return "the list of kept blocks is wrong";
        for (size_t entry = first; entry < end; entry++, count++) {
            if (!is_sound(fast, set, entry))
                return "the list of kept blocks is wrong";
        }
    }
    return count == kept_count && fast->recent.block_count == kept_count
               ? NULL
               : "a kept block is not on the list";
}
