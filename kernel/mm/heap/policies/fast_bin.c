#include "kernel/mm/heap/policies/fast_bin.h"

size_t fast_bin_least(unsigned bin)
{
    const unsigned part_count = 1u << FAST_BIN_SHIFT;
    if (bin < (FAST_BIN_SHIFT + 1) * part_count)
        return bin - FAST_BIN_SHIFT * part_count;
    unsigned exponent = bin / part_count - 1;
    return (size_t)(part_count + bin % part_count) << exponent >> FAST_BIN_SHIFT;
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
        if (marked != (core->bins[bin] != 0))
            return "a bin's bit does not match its list";
        const char *problem = check_bin(core, bin, &free_count);
        if (problem != NULL)
            return problem;
    }
    return free_count == 0 ? NULL : "a free block is in no bin";
}
