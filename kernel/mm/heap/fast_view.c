#include "kernel/mm/heap/fast_view.h"

#include "kernel/mm/heap/fast_slab.h"

struct tally {
    struct heap_survey survey;
    size_t used_bytes;
    size_t in_bins_count;
};

/* --- Slabs ------------------------------------------------------------------------------------ */

static const char *tally_slab(const struct fast_state *fast, const struct fast_slab *slab,
                              struct tally *tally)
{
    unsigned live_count = 0;
    for (unsigned index = 0; index < slab->slot_count; index++) {
        size_t size_bytes;
        if (fast_slot_is_free(slab, index)) {
            tally->survey.free_block_count++;
            tally->survey.free_bytes += slab->stride_bytes - (fast_slab_is_padded(slab) ? 1u : 0u);
            continue;
        }
        if (!fast_slot_is_intact(slab, fast_slot_at(slab, index), &size_bytes))
            return "the bytes around a block were overwritten";
        live_count++;
        tally->used_bytes += size_bytes;
    }
    tally->survey.live_block_count += live_count;
    if (fast->classes[slab->class_index].slab == slab)
        return NULL;
    unsigned used_count = slab->is_full ? slab->slot_count : slab->used_count;
    return live_count == used_count ? NULL : "a slab's count is wrong";
}

static bool leaf_is_idle(const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < FAST_LEAF_PAGES; i++) {
        if (leaf->slabs[i] != &fast_no_slab && !fast_slab_is_empty(leaf->slabs[i]))
            return false;
    }
    return true;
}

/* A block of the policy's own that a flush would free: it belongs to a slab without live blocks, or
 * to such slabs alone. */
static bool own_is_idle(const struct fast_state *fast, const uint8_t *block, uint64_t header)
{
    const void *content = block;
    switch (fast_own_kind(header)) {
    case FAST_OWN_PAGES:
        return fast_slab_is_empty(fast_slab_of(fast, block));
    case FAST_OWN_SLAB:
        return fast_slab_is_empty(content);
    case FAST_OWN_LEAF:
        return leaf_is_idle(content);
    case FAST_OWN_MAP:
        for (size_t i = 0; i < fast->map_length; i++) {
            if (!leaf_is_idle(fast->map[i]))
                return false;
        }
        return true;
    }
    return false;
}

/* --- All blocks ------------------------------------------------------------------------------- */

/* Neighbours that are free, or that a flush would free, are one piece: a request that needs it gets
 * it. */
static void tally_free_run(struct tally *tally, size_t run_units)
{
    if (run_units == 0)
        return;
    size_t bytes = sealed_capacity_bytes(run_units);
    tally->survey.free_block_count++;
    tally->survey.free_bytes += bytes;
    if (bytes > tally->survey.largest_free_bytes)
        tally->survey.largest_free_bytes = bytes;
}

static const char *tally_block(const struct fast_state *fast, const uint8_t *block, uint64_t header,
                               struct tally *tally)
{
    if ((header & SEALED_OWN) != 0) {
        if (fast_own_kind(header) != FAST_OWN_PAGES)
            return NULL;
        const struct fast_slab *slab = fast_slab_of(fast, block);
        return slab == &fast_no_slab ? "a slab is not on the map" : tally_slab(fast, slab, tally);
    }
    if (!sealed_end_is_intact(fast->core.secret, block, header))
        return "the bytes behind a block were overwritten";
    tally->survey.live_block_count++;
    tally->used_bytes += sealed_size(header);
    return NULL;
}

/* Walk all blocks. NULL, or what is wrong with the first bad one. */
static const char *tally_blocks(const struct fast_state *fast, struct tally *ret_tally)
{
    const struct fast_core *core = &fast->core;
    const char *problem = NULL;
    bool previous_is_free = false;
    size_t run_units = 0;
    *ret_tally = (struct tally){0};
    for (const uint8_t *block = fast_first(core); block != core->end && problem == NULL;) {
        uint64_t header;
        if (!sealed_read_header(core->secret, block, &header))
            return "a header was overwritten";
        size_t units = sealed_units(header);
        if (units == 0 || units > (size_t)(core->end - block) / SEALED_UNIT_BYTES)
            return "a block reaches beyond the end";
        bool is_free = (header & SEALED_FREE) != 0;
        if (((header & SEALED_PREVIOUS_FREE) != 0) != previous_is_free)
            return "a header is wrong about the block before";
        if (is_free && previous_is_free)
            return "two free blocks touch";
        if (is_free && block != core->top && !fast_core_footer_is_sound(core, block, units))
            return "a footer was overwritten";
        previous_is_free = is_free;
        ret_tally->in_bins_count += is_free && block != core->top;
        if (is_free || ((header & SEALED_OWN) != 0 && own_is_idle(fast, block, header))) {
            run_units += units;
        } else {
            tally_free_run(ret_tally, run_units);
            run_units = 0;
            problem = tally_block(fast, block, header, ret_tally);
        }
        block = sealed_next(block, units);
    }
    tally_free_run(ret_tally, run_units);
    uint64_t end;
    if (problem == NULL && !sealed_read_header(core->secret, core->end, &end))
        problem = "the end marker was overwritten";
    return problem;
}

void fast_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct tally tally;
    (void)tally_blocks(&heap->fast, &tally);
    *ret_survey = tally.survey;
}

/* --- Pieces ----------------------------------------------------------------------------------- */

static void walk_slab(const struct fast_slab *slab, heap_piece_visitor *visit, void *context)
{
    for (unsigned index = 0; index < slab->slot_count; index++) {
        const uint8_t *slot = fast_slot_at(slab, index);
        bool is_live = !fast_slot_is_free(slab, index);
        const struct heap_piece piece = {.kind = is_live ? HEAP_PIECE_LIVE : HEAP_PIECE_FREE,
                                         .start = slot,
                                         .extent_bytes = slab->stride_bytes,
                                         .size_bytes = is_live ? fast_slot_size(slab, slot) : 0};
        visit(context, &piece);
    }
}

void fast_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct fast_state *fast = &heap->fast;
    const uint8_t *block = fast_first(&fast->core);
    uint64_t header;
    while (block < fast->core.end && sealed_read_header(fast->core.secret, block, &header) &&
           sealed_units(header) != 0) {
        const struct heap_piece piece = sealed_piece(block, header);
        if (piece.kind == HEAP_PIECE_OWN && fast_own_kind(header) == FAST_OWN_PAGES)
            walk_slab(fast_slab_of(fast, block), visit, context);
        else
            visit(context, &piece);
        block = sealed_next(block, sealed_units(header));
    }
}

/* --- Proofs ----------------------------------------------------------------------------------- */

/* Slabs on a class's list are of that class, and have free slots and live blocks; its spare ones
 * have no live blocks, and *spare_pages goes up by their pages. */
static const char *check_class(const struct fast_state *fast, const struct fast_class *class,
                               size_t *spare_pages)
{
    const struct fast_slab *previous = NULL;
    for (const struct fast_slab *slab = class->partial; slab != NULL; slab = slab->next) {
        if (&fast->classes[slab->class_index] != class || slab->previous != previous)
            return "a class's list is wrong";
        if (slab->used_count == 0 || slab->used_count >= slab->slot_count || slab->is_full ||
            slab == class->slab)
            return "a slab on a list does not belong there";
        previous = slab;
    }
    for (const struct fast_slab *slab = class->spare; slab != NULL; slab = slab->next) {
        if (&fast->classes[slab->class_index] != class || slab == class->slab ||
            !fast_slab_is_empty(slab))
            return "a class's spare slab is none";
        *spare_pages += slab->page_count;
    }
    return NULL;
}

/* Each page of a slab leads to it, and the slabs' slots add up to their classes'. */
static const char *check_map(const struct fast_state *fast)
{
    size_t slot_counts[FAST_CLASS_COUNT] = {0};
    for (size_t i = 0; i < fast->map_length * FAST_LEAF_PAGES; i++) {
        const struct fast_slab *slab = fast->map[i / FAST_LEAF_PAGES]->slabs[i % FAST_LEAF_PAGES];
        uintptr_t page = fast->map_floor + i * FAST_PAGE_BYTES;
        if (slab == &fast_no_slab)
            continue;
        uintptr_t first = (uintptr_t)slab->slots & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
        if (page - first >= slab->page_count * FAST_PAGE_BYTES)
            return "a page is on the map for a slab that it does not belong to";
        if (page == first)
            slot_counts[slab->class_index] += slab->slot_count;
    }
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        if (slot_counts[i] != fast->classes[i].slot_count)
            return "a class's slabs do not add up";
    }
    return NULL;
}

const char *fast_check(const struct heap *heap)
{
    const struct fast_state *fast = &heap->fast;
    struct tally tally;
    size_t spare_pages = 0;
    const char *problem = tally_blocks(fast, &tally);
    if (problem == NULL && tally.used_bytes != heap_policy_used_bytes(heap))
        problem = "the counters do not match the blocks";
    if (problem == NULL)
        problem = fast_core_check_bins(&fast->core, tally.in_bins_count);
    if (problem == NULL)
        problem = check_map(fast);
    for (size_t i = 0; i < FAST_CLASS_COUNT && problem == NULL; i++)
        problem = check_class(fast, &fast->classes[i], &spare_pages);
    if (problem == NULL && spare_pages != fast->spare_pages)
        problem = "the spare slabs are miscounted";
    return problem;
}
