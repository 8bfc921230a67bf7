#include "kernel/mm/heap/policies/fast_recent.h"

#include "kernel/mm/heap/policies/fast_class.h"

void fast_recent_initialise(struct fast_recent *recent, size_t limit_bytes)
{
    size_t most = limit_bytes / FAST_RECENT_PART / FAST_RECENT_MOST_BYTES;
    *recent = (struct fast_recent){0};
    recent->block_limit = (unsigned)smaller(larger(most, FAST_RECENT_LEAST), FAST_RECENT_BLOCKS);
    recent->sizes[fast_recent_set_of(0)] = 1; /* which is in another set */
    for (size_t set = 0; set < FAST_RECENT_SETS; set++)
        recent->ends[set] = (uint32_t)(FAST_RECENT_DEPTH * set);
}

static uint8_t *newest(const struct fast_state *fast, size_t set)
{
    return fast_block_at(&fast->core, fast->recent.places[fast->recent.ends[set] - 1]);
}

/* Let the copy of the newest block's header follow the flag `previous`, which its neighbour may
 * have changed. False: the header was overwritten. */
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
    size_t victim;
    if (fast_recent_is_set_full(recent, set))
        return false;
    do
        victim = recent->next_victim++ % FAST_RECENT_SETS;
    while (fast_recent_is_empty(recent, victim));
    return victim != set && release_newest(heap, victim);
}

bool fast_recent_release_some(struct heap *heap)
{
    const struct fast_recent *recent = &fast_of(heap)->recent;
    size_t count = smaller(recent->block_count, FAST_RECENT_LEAST / 2);
    size_t set = 0;
    for (size_t i = 0; i < count; i++) {
        while (fast_recent_is_empty(recent, set))
            set++;
        if (!release_newest(heap, set))
            return false;
    }
    return true;
}

/* The block becomes the newest one first. */
bool fast_recent_release_at(struct heap *heap, const uint8_t *block, uint64_t header)
{
    struct fast_recent *recent = &fast_of(heap)->recent;
    size_t set = fast_recent_set_of(sealed_size(header));
    uint32_t place = fast_place_of(&fast_of(heap)->core, block);
    size_t last = (size_t)recent->ends[set] - 1;
    size_t entry = FAST_RECENT_DEPTH * set;
    while (entry < last && recent->places[entry] != place)
        entry++;
    if (fast_recent_is_empty(recent, set) || recent->places[entry] != place)
        return sealed_record_corrupt(heap, block);
    recent->places[entry] = recent->places[last];
    recent->places[last] = place;
    uint64_t word = recent->words[entry];
    recent->words[entry] = recent->words[last];
    recent->words[last] = word;
    return release_newest(heap, set);
}

void fast_recent_flush(struct heap *heap)
{
    while (fast_recent_release(heap))
        continue;
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
        if (end < first || end - first >= FAST_RECENT_DEPTH)
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
