#include "kernel/mm/heap/policies/fast_tombstone.h"

#include "kernel/mm/heap/policies/fast_absent.h"

static size_t tombstone_for(size_t class_index, unsigned page_count)
{
    return class_index * (FAST_MEDIUM_PAGES + 1) + page_count;
}

void fast_tombstone_write(const struct fast_state *fast, uint8_t *pages,
                          const struct fast_slab *slab)
{
    uint64_t tombstone =
        sealed_header(tombstone_for(slab->class_index, slab->page_count), SEALED_OWN);
    sealed_write_tombstone(pages,
                           sealed_word(fast->core.secret, pages - SEALED_HEADER_BYTES, tombstone));
}

/* True if the free memory at `pages` was a slab that contained the page of number `reach`. */
static bool read_tombstone(const struct fast_state *fast, uint8_t *pages, unsigned reach,
                           struct fast_slab *ret_slab)
{
    uint64_t tombstone;
    if (!sealed_read_tombstone(fast->core.secret, pages, &tombstone) ||
        (tombstone & SEALED_OWN) == 0)
        return false;
    size_t class_index = sealed_units(tombstone) / (FAST_MEDIUM_PAGES + 1);
    unsigned page_count = sealed_units(tombstone) % (FAST_MEDIUM_PAGES + 1);
    if (class_index >= FAST_CLASS_COUNT || page_count <= reach)
        return false;
    const struct fast_class *size_class = &fast->classes[class_index];
    *ret_slab = (struct fast_slab){
        .slots = pages + fast_class_first_bytes(class_index),
        .reciprocal = size_class->reciprocal,
        .stride_bytes = (uint16_t)size_class->stride_bytes,
        .least_bytes = (uint16_t)(size_class->stride_bytes - SEALED_UNIT_BYTES),
        .mark = fast_slot_mark(fast, class_index),
        .slot_count = (uint16_t)fast_class_slots_in(size_class, class_index, page_count),
        .class_index = (uint8_t)class_index,
    };
    return true;
}

bool fast_tombstone_find_slot(const struct fast_state *fast, const uint8_t *address,
                              size_t *ret_size_bytes)
{
    unsigned index;
    struct fast_slab slab;
    uint8_t *page = (uint8_t *)((uintptr_t)address & ~(uintptr_t)(FAST_PAGE_BYTES - 1));
    for (unsigned reach = 0; reach < FAST_MEDIUM_PAGES; reach++, page -= FAST_PAGE_BYTES) {
        if (page < fast_first(&fast->core) || fast_absent_is_at(fast, page))
            return false;
        if (!read_tombstone(fast, page, reach, &slab))
            continue;
        if (!fast_slot_index(&slab, address, &index) || index >= slab.slot_count ||
            slab.stride_bytes > fast->core.end - address)
            return false;
        *ret_size_bytes = slab.stride_bytes;
        return fast_slab_is_dense(&slab) ||
               fast_slot_read_freed(fast, &slab, address, ret_size_bytes);
    }
    return false;
}
