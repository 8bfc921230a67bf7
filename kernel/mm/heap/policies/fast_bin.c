#include "kernel/mm/heap/policies/fast_bin.h"

size_t fast_bin_least(unsigned bin)
{
    if (bin < FAST_LINEAR_BINS)
        return bin;
    unsigned exponent = (bin - FAST_LINEAR_BINS) / 32 + 6;
    return (size_t)(32 + bin % 32) << (exponent - 5);
}

bool fast_bin_insert(struct heap *heap, uint8_t *block, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    unsigned bin = fast_bin_of(units);
    uint32_t place = fast_place_of(core, block);
    uint32_t head = core->bins[bin];
    if (head != 0) {
        struct fast_links *links = fast_links_of(fast_block_at(core, head));
        if (links->previous != 0)
            return sealed_record_corrupt(heap, fast_block_at(core, head));
        links->previous = place;
    }
    *fast_links_of(block) = (struct fast_links){.next = head, .previous = 0};
    core->free_units += units;
    core->bins[bin] = place;
    core->bin_bits[bin / 64] |= UINT64_C(1) << bin % 64;
    core->bin_summary |= UINT64_C(1) << bin / 64;
    return true;
}

static void mark_empty(struct fast_core *core, unsigned bin)
{
    core->bin_bits[bin / 64] &= ~(UINT64_C(1) << bin % 64);
    if (core->bin_bits[bin / 64] == 0)
        core->bin_summary &= ~(UINT64_C(1) << bin / 64);
}

/* A wrong header passes the check by chance, one in 2^17. Its units must not lead out of the heap.
 */
static bool is_possible(const struct fast_core *core, const uint8_t *block, size_t units,
                        struct fast_links links)
{
    return units <= (size_t)(core->end - block) / SEALED_UNIT_BYTES &&
           fast_footer_is_sound(core, block, units) && fast_place_is_possible(core, links.next) &&
           fast_place_is_possible(core, links.previous);
}

bool fast_bin_remove(struct heap *heap, const uint8_t *block, size_t units)
{
    struct fast_core *core = &fast_of(heap)->core;
    unsigned bin = fast_bin_of(units);
    uint32_t place = fast_place_of(core, block);
    struct fast_links links = *fast_links_of(block);
    if (!is_possible(core, block, units, links))
        return sealed_record_corrupt(heap, block);
    uint32_t *forward = links.previous == 0
                            ? &core->bins[bin]
                            : &fast_links_of(fast_block_at(core, links.previous))->next;
    if (*forward != place)
        return sealed_record_corrupt(heap, block);
    if (links.next != 0) {
        uint32_t *backward = &fast_links_of(fast_block_at(core, links.next))->previous;
        if (*backward != place)
            return sealed_record_corrupt(heap, block);
        *backward = links.previous;
    }
    *forward = links.next;
    core->free_units -= units;
    if (core->bins[bin] == 0)
        mark_empty(core, bin);
    return true;
}

/* --- Views ------------------------------------------------------------------------------------ */

size_t fast_bin_largest_seen(const struct fast_core *core, unsigned bin)
{
    size_t most_units = 0;
    uint32_t place = core->bins[bin];
    for (unsigned looks = 0; looks < FAST_BIN_LAST_LOOKS && place != 0; looks++) {
        const uint8_t *block = fast_block_at(core, place);
        uint64_t header;
        if (!fast_place_is_possible(core, place) ||
            !sealed_read_header(core->secret, block, &header))
            break;
        most_units = larger(most_units, sealed_units(header));
        place = fast_links_of(block)->next;
    }
    return most_units;
}

void fast_bin_walk(const struct fast_core *core, unsigned bin, heap_piece_visitor *visit,
                   void *context)
{
    uint32_t previous = 0;
    for (uint32_t place = core->bins[bin]; place != 0 && fast_place_is_possible(core, place);) {
        const uint8_t *block = fast_block_at(core, place);
        uint64_t header;
        if (fast_links_of(block)->previous != previous ||
            !sealed_read_header(core->secret, block, &header) || (header & SEALED_FREE) == 0 ||
            sealed_units(header) > (size_t)(core->end - block) / SEALED_UNIT_BYTES)
            return;
        previous = place;
        place = fast_links_of(block)->next;
        const struct heap_piece piece = sealed_piece(block, header);
        visit(context, &piece);
    }
}

/* `*free_count` goes down by the length of the bin's list. */
static const char *check_bin(const struct fast_core *core, unsigned bin, size_t *free_count)
{
    uint32_t previous = 0;
    for (uint32_t place = core->bins[bin]; place != 0;) {
        uint64_t header;
        if (*free_count == 0)
            return "the bins hold more blocks than are free";
        if (!fast_place_is_possible(core, place))
            return "a free-list link was overwritten";
        const uint8_t *block = fast_block_at(core, place);
        if (!sealed_read_header(core->secret, block, &header) || (header & SEALED_FREE) == 0 ||
            fast_bin_of(sealed_units(header)) != bin)
            return "a bin holds a wrong block";
        if (fast_links_of(block)->previous != previous)
            return "a bin's links do not match";
        previous = place;
        place = fast_links_of(block)->next;
        --*free_count;
    }
    return NULL;
}

const char *fast_bin_check_all(const struct fast_core *core, size_t free_count)
{
    for (unsigned bin = 0; bin < FAST_BIN_COUNT; bin++) {
        bool marked = (core->bin_bits[bin / 64] >> bin % 64 & 1) != 0;
        bool summarised = (core->bin_summary >> bin / 64 & 1) != 0;
        if (marked != (core->bins[bin] != 0) || (marked && !summarised))
            return "a bin's bit does not match its list";
        const char *problem = check_bin(core, bin, &free_count);
        if (problem != NULL)
            return problem;
    }
    return free_count == 0 ? NULL : "a free block is in no bin";
}
