#include "kernel/mm/heap/policies/fast_view.h"

#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "kernel/mm/heap/policies/fast_recent.h"
#include "kernel/mm/heap/policies/fast_record.h"
#include "kernel/mm/heap/policies/fast_slot.h"

struct tally {
    struct heap_survey survey;
    size_t used_bytes;
    size_t in_bins_count;
    size_t kept_count; /* see fast_recent.h */
    size_t leaf_block_count;
    size_t listed_count; /* of slabs */
    struct fast_record_tally records;
    size_t absent_count; /* of blocks, */
    size_t absent_units;
    size_t absent_page_count; /* and of their pages */
    size_t free_slot_bytes;   /* the largest block that a free slot serves */
    size_t piece_live_count;  /* in pieces of dissolved slabs */
    size_t piece_held_count;  /* their slots */
    /* These describe the pieces that are free, or would be free after a flush: */
    bool has_idle;      /* some are free only after a flush */
    size_t top_units;   /* of the one that reaches to the end */
    size_t most_units;  /* of the largest of the others, */
    size_t fewer_count; /* and how many in its bin are smaller */
    size_t bin_count;   /* how many its bin has */
};

/* --- Slabs ------------------------------------------------------------------------------------ */

/* A current slab has the word that its blocks come from. A full one has the last such word. */
static bool word_is_sound(const struct fast_slab *slab)
{
    size_t word = (size_t)(slab->word - slab->free);
    return word <= slab->slot_count / 64 &&
           slab->word_slots == fast_slot_at(slab, (unsigned)word * 64) &&
           slab->unready == fast_class_unready(slab, (unsigned)word);
}

static bool is_listed(const struct fast_state *fast, const struct fast_slab *slab)
{
    return !slab->is_full && fast->current[slab->class_index] != slab;
}

/* A slab that is not current any more keeps what `unready` was then. */
static bool unready_is_sound(const struct fast_slab *slab)
{
    return slab->unready == 0 || slab->unready == UINT64_MAX << slab->reached_count % 64;
}

static bool turn_is_sound(const struct fast_state *fast, const struct fast_slab *slab)
{
    if (is_listed(fast, slab))
        return unready_is_sound(slab);
    if (slab->is_full && (slab->reached_count != slab->slot_count || slab->used_count != 1))
        return false;
    return !slab->is_sparse && !slab->counts_above && word_is_sound(slab);
}

/* The bits behind the last slot are set. */
static bool rest_is_free(const struct fast_slab *slab)
{
    uint64_t last = slab->free[slab->slot_count / 64];
    return (last | ~(UINT64_MAX << slab->slot_count % 64)) == UINT64_MAX;
}

/* In a dense slab, live slots with an end are marked. In other slabs that are not dissolved, all
 * marks are the same. */
static bool marks_are_sound(const struct fast_slab *slab)
{
    const unsigned word_count = fast_slab_word_count(slab->slot_count);
    uint64_t usual = fast_slab_is_medium(slab) ? UINT64_MAX : 0;
    for (unsigned word = 0; word < word_count; word++) {
        uint64_t unmarked = fast_slab_is_dense(slab) ? slab->free[word] : UINT64_MAX;
        if (((slab->free[word_count + word] ^ usual) & unmarked) != 0)
            return false;
    }
    return true;
}

/* The seal leaves both reciprocals out, since one changes when a dense slot gets an end. */
static bool reciprocals_are_sound(const struct fast_state *fast, const struct fast_slab *slab)
{
    uint64_t marks = 0;
    if (slab->padded_reciprocal != (fast_slab_is_padded(slab) ? slab->reciprocal : 0))
        return false;
    const unsigned word_count = fast_slab_word_count(slab->slot_count);
    for (unsigned word = 0; word < word_count && fast_slab_is_dense(slab); word++)
        marks |= slab->free[word_count + word];
    return slab->reciprocal == (marks != 0 ? 0 : fast->classes[slab->class_index].reciprocal);
}

/* Check the members of a sound record that change, without its counts. */
static bool members_are_sound(const struct fast_state *fast, const struct fast_slab *slab)
{
    return slab->reached_count <= slab->slot_count && reciprocals_are_sound(fast, slab) &&
           rest_is_free(slab) && marks_are_sound(slab) && turn_is_sound(fast, slab);
}

static const char *tally_slot(const struct fast_state *fast, const struct fast_slab *slab,
                              unsigned index, struct tally *tally)
{
    size_t size_bytes;
    bool is_reached = index < slab->reached_count;
    if (fast_slot_is_free(slab, index)) {
        tally->survey.free_block_count++;
        tally->survey.free_bytes += fast_slot_capacity(slab);
        tally->free_slot_bytes = larger(tally->free_slot_bytes, fast_slot_capacity(slab));
        return !is_reached || fast_slot_is_untouched(fast, slab, index)
                   ? NULL
                   : "a free block was written to";
    }
    if (!is_reached)
        return "a slab's record was overwritten";
    if (!fast_slot_read(fast, slab, index, &size_bytes))
        return "the bytes around a block were overwritten";
    tally->survey.live_block_count++;
    tally->used_bytes += size_bytes;
    return NULL;
}

static const char *tally_slab(const struct fast_state *fast, const struct fast_slab *slab,
                              struct tally *tally)
{
    size_t live_count = tally->survey.live_block_count;
    if (!fast_slot_guard_is_intact(fast, slab))
        return "the bytes before a slab's first block were overwritten";
    if (!members_are_sound(fast, slab))
        return "a slab's record was overwritten";
    for (unsigned index = 0; index < slab->slot_count; index++) {
        const char *problem = tally_slot(fast, slab, index, tally);
        if (problem != NULL)
            return problem;
    }
    live_count = tally->survey.live_block_count - live_count;
    tally->listed_count += is_listed(fast, slab);
    return live_count == (slab->is_full ? slab->slot_count
                                        : (size_t)slab->used_count + fast_class_floor(slab))
               ? NULL
               : "a slab's count is wrong";
}

/* Add the slots of one piece of a dissolved slab, which begin at `piece`. A free one serves no
 * request. */
static const char *tally_piece(const struct fast_state *fast, const struct fast_slab *slab,
                               const uint8_t *piece, size_t units, struct tally *tally)
{
    const uint8_t *end = sealed_next(piece, units);
    unsigned index = fast_piece_first_slot(slab, piece);
    for (; index < slab->slot_count && fast_slot_at(slab, index) < end; index++) {
        size_t size_bytes;
        if (!fast_piece_has_slot(slab, index))
            break;
        tally->piece_held_count++;
        if (fast_slot_is_free(slab, index))
            continue;
        if (!fast_slot_read(fast, slab, index, &size_bytes) ||
            !fast_piece_is_intact(fast, slab, index))
            return "the bytes around a block were overwritten";
        tally->piece_live_count++;
        tally->survey.live_block_count++;
        tally->used_bytes += size_bytes;
    }
    return NULL;
}

/* A record that was overwritten is not idle, so that the checks name it. */
static bool slab_is_idle(const struct fast_state *fast, const struct fast_slab *slab)
{
    return slab != &fast_absent_slab && fast_slab_is_sound(fast, slab) && fast_slab_is_empty(slab);
}

static bool leaf_is_idle(const struct fast_state *fast, const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < FAST_LEAF_PAGES; i++) {
        if (leaf->slabs[i] != &fast_no_slab && !slab_is_idle(fast, leaf->slabs[i]))
            return false;
    }
    return true;
}

static bool all_slabs_are_idle(const struct fast_state *fast)
{
    for (size_t i = 0; i < fast->map_length; i++) {
        if (!leaf_is_idle(fast, fast_map_leaf(fast, i)))
            return false;
    }
    return true;
}

static bool records_are_idle(const struct fast_state *fast, const struct fast_record_group *group)
{
    for (unsigned i = 0; i < FAST_RECORDS_IN_A_GROUP; i++) {
        const struct fast_slab *slab = fast_record_in_use(group, i);
        if (slab != NULL && !slab_is_idle(fast, slab))
            return false;
    }
    return true;
}

/* True for a block of the policy that a flush would free. Such a block belongs only to slabs
 * without live blocks. */
static bool own_is_idle(const struct fast_state *fast, const uint8_t *block, uint64_t header)
{
    switch (fast_own_kind(header)) {
    case FAST_OWN_PAGES:
        return slab_is_idle(fast, fast_map_find(fast, block));
    case FAST_OWN_RECORDS:
        return records_are_idle(fast, (const void *)block);
    case FAST_OWN_LEAF:
        return fast_map_has_spare(fast, fast_map_leaf_in(block)) ||
               leaf_is_idle(fast, fast_map_leaf_in(block));
    case FAST_OWN_MAP:
        return fast->absent.units == 0 && all_slabs_are_idle(fast);
    case FAST_OWN_ABSENT:
        return false;
    }
    return false;
}

/* Check the pages of a slab without live blocks. They count as free memory. */
static const char *check_idle_pages(const struct fast_state *fast, const uint8_t *pages,
                                    struct tally *tally)
{
    struct tally idle = {0};
    const struct fast_slab *slab = fast_map_find(fast, pages);
    const char *problem = slab->is_dissolved ? NULL : tally_slab(fast, slab, &idle);
    tally->listed_count += idle.listed_count;
    return problem;
}

/* --- All blocks ------------------------------------------------------------------------------- */

/* Neighbours that are free, or that a flush would free, count as one piece, since a request can get
 * all of it. */
static void tally_free_run(struct tally *tally, size_t run_units)
{
    if (run_units == 0)
        return;
    tally->survey.free_block_count++;
    tally->survey.free_bytes += sealed_capacity_bytes(run_units);
}

/* The same for one that would be in a bin. */
static void tally_run_in_bin(struct tally *tally, size_t run_units)
{
    tally_free_run(tally, run_units);
    unsigned bin = fast_bin_of(run_units);
    unsigned most_bin = fast_bin_of(tally->most_units);
    if (run_units == 0 || bin < most_bin)
        return;
    if (bin > most_bin)
        tally->bin_count = tally->fewer_count = 0;
    if (run_units > tally->most_units) {
        tally->most_units = run_units;
        tally->fewer_count = tally->bin_count;
    } else if (run_units < tally->most_units) {
        tally->fewer_count++;
    }
    tally->bin_count++;
}

/* Return the largest request that succeeds, after a flush if it needs one. The core looks at a
 * limited number of blocks in a bin, so it may miss the largest. Then the result is the largest
 * block that the core finds. If a flush would change the bin's order, the result is a size that
 * fits every block of the bin. */
static size_t largest_request(const struct fast_state *fast, const struct tally *tally)
{
    const struct fast_core *core = &fast->core;
    size_t units = tally->most_units;
    if (tally->fewer_count >= FAST_BIN_LAST_LOOKS)
        units = tally->has_idle ? fast_bin_least(fast_bin_of(units))
                                : fast_bin_largest_seen(core, fast_bin_of(units));
    units = larger(larger(units, tally->top_units), fast_absent_largest_units(fast));
    size_t block_bytes = units == 0 ? 0 : sealed_capacity_bytes(units);
    return larger(block_bytes, tally->free_slot_bytes);
}

static const char *tally_absent(const struct fast_state *fast, const uint8_t *block,
                                uint64_t header, struct tally *tally)
{
    size_t bytes = sealed_capacity_bytes(sealed_units(header));
    size_t page_count = 0;
    const char *problem = fast_absent_check_block(fast, block, header, &page_count);
    tally->absent_count++;
    tally->absent_units += sealed_units(header);
    tally->absent_page_count += page_count;
    tally->survey.free_block_count++;
    tally->survey.free_bytes += bytes;
    tally->survey.absent_bytes += page_count * FAST_PAGE_BYTES;
    return problem;
}

static const char *tally_block(const struct fast_state *fast, const uint8_t *block, uint64_t header,
                               struct tally *tally)
{
    if ((header & SEALED_OWN) != 0) {
        if (fast_absent_is(header))
            return tally_absent(fast, block, header, tally);
        if (fast_own_kind(header) != FAST_OWN_PAGES)
            return NULL;
        const struct fast_slab *slab = fast_map_find(fast, block);
        if (slab == &fast_no_slab)
            return "a slab is not on the map";
        if (!fast_slab_is_sound(fast, slab))
            return "a slab's record was overwritten";
        return slab->is_dissolved ? tally_piece(fast, slab, block, sealed_units(header), tally)
                                  : tally_slab(fast, slab, tally);
    }
    if (!sealed_end_is_intact(fast->core.secret, block, header))
        return "the bytes behind a block were overwritten";
    tally->survey.live_block_count++;
    tally->used_bytes += sealed_size(header);
    return NULL;
}

/* Check a block's header and footer, and the place of a free block. Return NULL, or the problem. */
static const char *check_block(const struct fast_core *core, const uint8_t *block, uint64_t header,
                               bool previous_is_free)
{
    size_t units = sealed_units(header);
    bool is_free = (header & SEALED_FREE) != 0;
    if (units == 0 || units > (size_t)(core->end - block) / SEALED_UNIT_BYTES)
        return "a block reaches beyond the end";
    if (((header & SEALED_PREVIOUS_FREE) != 0) != previous_is_free)
        return "a header does not match the block before it";
    if (is_free && previous_is_free)
        return "two free blocks touch";
    if (is_free && block != core->top && !fast_footer_is_sound(block, units))
        return "a footer was overwritten";
    return NULL;
}

/* Check and count an own block that holds no slots. */
static const char *tally_own(const struct fast_state *fast, const uint8_t *block, uint64_t header,
                             struct tally *tally)
{
    if ((header & SEALED_OWN) == 0)
        return NULL;
    enum fast_own kind = fast_own_kind(header);
    if (kind == FAST_OWN_RECORDS)
        return fast_record_check_group(fast, block, header, &tally->records);
    if ((kind == FAST_OWN_LEAF || kind == FAST_OWN_MAP) && !fast_map_guard_is_intact(block))
        return "the bytes before the map of the slabs were overwritten";
    tally->leaf_block_count += kind == FAST_OWN_LEAF;
    return NULL;
}

/* A kept block begins with a copy of its header. The block before it may have changed `previous`
 * since. */
static bool kept_is_untouched(const uint8_t *block)
{
    uint64_t copy = *(const uint64_t *)(const void *)block;
    uint64_t header = sealed_header_word(block);
    return copy == header || copy == sealed_toggled(header, SEALED_PREVIOUS_FREE);
}

/* Add a sound block. `*run_units` is the length of the run of free memory that ends at it. */
static const char *tally_next(const struct fast_state *fast, const uint8_t *block, uint64_t header,
                              struct tally *tally, size_t *run_units)
{
    bool is_free = (header & SEALED_FREE) != 0;
    tally->in_bins_count += is_free && block != fast->core.top;
    const char *problem = tally_own(fast, block, header, tally);
    if (problem != NULL)
        return problem;
    bool is_kept = fast_recent_is_kept(header);
    tally->kept_count += is_kept;
    if (is_kept && !sealed_end_is_intact(fast->core.secret, block, header))
        return "the bytes behind a freed block were overwritten";
    if (is_kept && !kept_is_untouched(block))
        return "a free block was written to";
    if (is_free || is_kept || ((header & SEALED_OWN) != 0 && own_is_idle(fast, block, header))) {
        bool is_pages = (header & SEALED_OWN) != 0 && fast_own_kind(header) == FAST_OWN_PAGES;
        *run_units += sealed_units(header);
        tally->has_idle |= !is_free;
        return is_pages ? check_idle_pages(fast, block, tally) : NULL;
    }
    tally_run_in_bin(tally, *run_units);
    *run_units = 0;
    return tally_block(fast, block, header, tally);
}

/* The end marker is no block, so it has no length and is not free. */
static bool end_marker_is_sound(const struct fast_core *core)
{
    uint64_t header;
    return sealed_read_header(core->secret, core->end, &header) &&
           (header & ~SEALED_PREVIOUS_FREE) == sealed_header(0, SEALED_OWN);
}

/* Walk all blocks. Return NULL, or the problem of the first bad one. */
static const char *tally_blocks(const struct fast_state *fast, struct tally *ret_tally)
{
    const struct fast_core *core = &fast->core;
    const char *problem = NULL;
    bool previous_is_free = false;
    size_t run_units = 0;
    uint64_t header;
    *ret_tally = (struct tally){0};
    if (!fast_map_is_sound(fast))
        return "the map of the slabs was overwritten";
    for (const uint8_t *block = fast_first(core); block != core->end && problem == NULL;) {
        if (!sealed_read_header(core->secret, block, &header))
            return "a header was overwritten";
        problem = check_block(core, block, header, previous_is_free);
        if (problem != NULL)
            return problem;
        previous_is_free = (header & SEALED_FREE) != 0;
        problem = tally_next(fast, block, header, ret_tally, &run_units);
        block = sealed_next(block, sealed_units(header));
    }
    tally_free_run(ret_tally, run_units);
    ret_tally->top_units = run_units;
    ret_tally->survey.largest_free_bytes = largest_request(fast, ret_tally);
    if (problem == NULL && !end_marker_is_sound(core))
        problem = "the end marker was overwritten";
    return problem;
}

void fast_view_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct tally tally;
    (void)tally_blocks(fast_of(heap), &tally);
    *ret_survey = tally.survey;
}

/* --- Pieces ----------------------------------------------------------------------------------- */

/* Visit the slots of a slab, or of the piece of a slab that begins at `block`. */
static void walk_slots(const struct fast_state *fast, const struct fast_slab *slab,
                       const uint8_t *block, size_t units, heap_piece_visitor *visit, void *context)
{
    const uint8_t *end = sealed_next(block, units);
    unsigned first = fast_piece_first_slot(slab, block);
    for (unsigned index = first; index < slab->slot_count; index++) {
        const uint8_t *slot = fast_slot_at(slab, index);
        if (slot >= end || (slab->is_dissolved && !fast_piece_has_slot(slab, index)))
            return;
        bool is_live = !fast_slot_is_free(slab, index);
        const struct heap_piece piece = {.kind = is_live ? HEAP_PIECE_LIVE : HEAP_PIECE_FREE,
                                         .start = slot,
                                         .extent_bytes = slab->stride_bytes,
                                         .size_bytes =
                                             is_live ? fast_slot_size(fast, slab, index) : 0};
        visit(context, &piece);
    }
}

/* Return the slab that has its slots in this block. NULL: there is no slab, or its record was
 * overwritten. */
static const struct fast_slab *slab_of(const struct fast_state *fast, const uint8_t *block,
                                       uint64_t header)
{
    if ((header & SEALED_OWN) == 0 || fast_own_kind(header) != FAST_OWN_PAGES)
        return NULL;
    const struct fast_slab *slab = fast_map_find(fast, block);
    return fast_slab_is_sound(fast, slab) ? slab : NULL;
}

void fast_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct fast_state *fast = fast_of(heap);
    const uint8_t *block = fast_first(&fast->core);
    const bool is_sound = fast_map_is_sound(fast);
    uint64_t header;
    while (block < fast->core.end && sealed_read_header(fast->core.secret, block, &header) &&
           sealed_units(header) != 0) {
        struct heap_piece piece = sealed_piece(block, header);
        if (fast_absent_is(header))
            piece.kind = HEAP_PIECE_FREE;
        const struct fast_slab *slab = is_sound ? slab_of(fast, block, header) : NULL;
        if (slab != NULL)
            walk_slots(fast, slab, block, sealed_units(header), visit, context);
        else
            visit(context, &piece);
        block = sealed_next(block, sealed_units(header));
    }
}

void fast_view_walk_free(const struct heap *heap, size_t least_bytes, heap_piece_visitor *visit,
                         void *context)
{
    const struct fast_core *core = &fast_of(heap)->core;
    const struct heap_piece top =
        sealed_piece(core->top, sealed_header(core->top_units, SEALED_FREE));
    unsigned bin = fast_bin_of(least_bytes / SEALED_UNIT_BYTES);
    for (; bin < FAST_BIN_COUNT; bin++)
        fast_bin_walk(core, bin, visit, context);
    if (core->top_units != 0)
        visit(context, &top);
}

/* --- Proofs ----------------------------------------------------------------------------------- */

/* Check a list of partial or of sparse slabs. They belong to the class, and have free slots and
 * live blocks. `*listed_count` goes down by their number. */
static const char *check_list(const struct fast_state *fast, const struct fast_class *size_class,
                              bool is_sparse, size_t *listed_count)
{
    const struct fast_slab *previous = NULL;
    const struct fast_slab *slab =
        is_sparse ? fast->sparse[size_class - fast->classes] : size_class->partial;
    for (; slab != NULL; slab = slab->next, --*listed_count) {
        if (!fast_slab_is_sound(fast, slab) || &fast->classes[slab->class_index] != size_class ||
            slab->previous != previous)
            return "a class's list is wrong";
        unsigned live_count = (unsigned)slab->used_count + fast_class_floor(slab);
        if (live_count >= slab->slot_count || !is_listed(fast, slab) || slab->is_dissolved ||
            slab->is_sparse != is_sparse || slab->counts_above == is_sparse ||
            (slab->used_count == 0 && !is_sparse) ||
            is_sparse != (live_count <= slab->slot_count / FAST_SPARSE_PART))
            return "a slab is on the wrong list";
        previous = slab;
    }
    return is_sparse || size_class->partial_last == previous ? NULL : "a class's list is wrong";
}

/* Check the class's lists. */
static const char *check_class(const struct fast_state *fast, size_t class_index,
                               size_t *listed_count)
{
    const struct fast_class *size_class = &fast->classes[class_index];
    const struct fast_slab *sparse = fast->sparse[class_index];
    const char *problem = check_list(fast, size_class, false, listed_count);
    if (problem == NULL)
        problem = check_list(fast, size_class, true, listed_count);
    if (problem != NULL)
        return problem;
    if ((size_class->slot_count != 0) !=
        ((fast->open_classes[class_index / 64] >> class_index % 64 & 1) != 0))
        return "the bit of a class's slabs is wrong";
    if ((sparse != NULL) != ((fast->sparse_classes[class_index / 64] >> class_index % 64 & 1) != 0))
        return "the bit of a class's sparse slabs is wrong";
    return NULL;
}

/* Check the lists of all classes, which have so many slabs. */
static const char *check_classes(const struct fast_state *fast, size_t listed_count)
{
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        const char *problem = check_class(fast, i, &listed_count);
        if (problem != NULL)
            return problem;
    }
    return listed_count == 0 ? NULL : "a slab is on no list";
}

static bool is_kept(const struct fast_state *fast, const struct fast_slab *slab)
{
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++) {
        if (fast->empty[i] == slab)
            return true;
    }
    return false;
}

/* The pages and slabs of the map. */
struct map_tally {
    size_t leaf_count;
    size_t absent_page_count;
    size_t sparse_page_count;
    size_t kept_count; /* slabs that fast_state.empty names */
    size_t slab_count; /* without dissolved ones */
    size_t slot_counts[FAST_CLASS_COUNT];
};

static const char *tally_mapped_slab(const struct fast_state *fast, const struct fast_slab *slab,
                                     struct map_tally *tally)
{
    bool kept = is_kept(fast, slab);
    tally->slot_counts[slab->class_index] += slab->slot_count;
    tally->kept_count += kept;
    tally->slab_count++;
    tally->sparse_page_count += slab->is_sparse ? slab->page_count : 0;
    return fast_slab_is_empty(slab) && !kept ? "an empty slab is forgotten" : NULL;
}

/* Check that each page of a slab leads to the slab. `floor` is the address of the leaf's first
 * page. */
static const char *tally_leaf(const struct fast_state *fast, const struct fast_leaf *leaf,
                              uintptr_t floor, struct map_tally *tally)
{
    size_t used_count = 0;
    const char *problem = NULL;
    for (size_t i = 0; i < FAST_LEAF_PAGES && problem == NULL; i++) {
        const struct fast_slab *slab = leaf->slabs[i];
        uintptr_t page = floor + i * FAST_PAGE_BYTES;
        if (slab == &fast_no_slab)
            continue;
        used_count++;
        if (slab == &fast_absent_slab) {
            tally->absent_page_count++;
            continue;
        }
        if (!fast_slab_is_sound(fast, slab))
            return "a slab's record was overwritten";
        uintptr_t first = (uintptr_t)slab->slots & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
        if (page - first >= slab->page_count * FAST_PAGE_BYTES)
            return "a page is on the map for a slab that it does not belong to";
        if (page == first && !slab->is_dissolved)
            problem = tally_mapped_slab(fast, slab, tally);
    }
    tally->leaf_count += used_count != 0;
    return used_count == leaf->used_count ? problem : "a leaf of the map is miscounted";
}

/* Return the length of the list of dissolved slabs, at most `most` + 1. It ends at an overwritten
 * record. */
static size_t count_dissolved(const struct fast_state *fast, size_t most)
{
    size_t count = 0;
    const struct fast_slab *slab = fast->dissolved;
    while (slab != NULL && count <= most && fast_slab_is_sound(fast, slab)) {
        count++;
        slab = slab->next;
    }
    return count;
}

/* Check that the kept slabs exist and are different, that the slots of all slabs add up to the
 * classes' counts, and that leaves and absent pages are those of the blocks. */
static const char *check_totals(const struct fast_state *fast, const struct map_tally *map,
                                const struct tally *blocks)
{
    size_t kept_count = 0;
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++)
        kept_count += fast->empty[i] != NULL;
    if (kept_count != map->kept_count)
        return "a kept slab does not exist";
    if (map->sparse_page_count != fast->sparse_page_count)
        return "the pages of sparse slabs are miscounted";
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        if (map->slot_counts[i] != fast->classes[i].slot_count)
            return "a class's slabs do not add up";
    }
    if (fast_map_count_leaves(fast) + fast->spare_leaf_count != blocks->leaf_block_count)
        return "a leaf of the map is lost";
    if (map->slab_count + count_dissolved(fast, blocks->records.in_use_count) !=
        blocks->records.in_use_count)
        return "a record is lost";
    if (map->absent_page_count != blocks->absent_page_count)
        return "the map has an absent page outside of absent blocks";
    return NULL;
}

static bool leaf_is_unused(const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < FAST_LEAF_PAGES; i++) {
        if (leaf->slabs[i] != &fast_no_slab)
            return false;
    }
    return leaf->used_count == 0;
}

static bool spare_leaves_are_sound(const struct fast_state *fast)
{
    for (unsigned i = 0; i < fast->spare_leaf_count; i++) {
        if (!leaf_is_unused(fast->spare_leaves[i]))
            return false;
    }
    return true;
}

/* Check the leaves and their number, and what they lead to. */
static const char *check_map(const struct fast_state *fast, const struct tally *blocks)
{
    struct map_tally map = {0};
    for (size_t i = 0; i < fast->map_length; i++) {
        const char *problem =
            tally_leaf(fast, fast_map_leaf(fast, i), fast->map_floor + i * FAST_LEAF_BYTES, &map);
        if (problem != NULL)
            return problem;
    }
    if (map.leaf_count != fast->leaf_count ||
        (fast->map_block == NULL && (map.leaf_count != 0 || fast->spare_leaf_count != 0)))
        return "the leaves of the map are miscounted";
    if (!spare_leaves_are_sound(fast))
        return "a leaf that the map does not use was written to";
    return check_totals(fast, &map, blocks);
}

bool fast_view_is_empty(const struct heap *heap)
{
    struct tally tally;
    return tally_blocks(fast_of(heap), &tally) == NULL && tally.survey.live_block_count == 0;
}

/* Check that the slots of the dissolved slabs are those that the pieces have. */
static const char *check_dissolved(const struct fast_state *fast, const struct tally *tally)
{
    size_t live_count = 0;
    size_t held_count = 0;
    bool found = fast->dissolving == NULL;
    const struct fast_slab *previous = NULL;
    for (const struct fast_slab *slab = fast->dissolved; slab != NULL; slab = slab->next) {
        unsigned slab_live_count = 0;
        if (!fast_slab_is_sound(fast, slab) || !slab->is_dissolved || slab->reciprocal != 0 ||
            slab->previous != previous || !unready_is_sound(slab) || !rest_is_free(slab))
            return "the list of dissolved slabs is wrong";
        for (unsigned index = 0; index < slab->slot_count; index++) {
            slab_live_count += !fast_slot_is_free(slab, index);
            held_count += fast_piece_has_slot(slab, index);
        }
        if (slab_live_count == 0 || slab_live_count != slab->used_count)
            return "a dissolved slab's count is wrong";
        if (slab != fast->dissolving && slab->stride_bytes > 2 * SEALED_UNIT_BYTES &&
            fast_piece_next_free(slab, 0) != slab->slot_count)
            return "a dissolved slab keeps free memory";
        live_count += slab_live_count;
        found |= slab == fast->dissolving;
        previous = slab;
    }
    if (live_count != tally->piece_live_count || held_count != tally->piece_held_count || !found)
        return "the pieces do not add up";
    return NULL;
}

const char *fast_view_check(const struct heap *heap)
{
    const struct fast_state *fast = fast_of(heap);
    struct tally tally;
    const char *problem = tally_blocks(fast, &tally);
    if (problem == NULL && tally.used_bytes != heap_policy_used_bytes(heap))
        problem = "the counters do not match the blocks";
    if (problem == NULL)
        problem = fast_bin_check_all(&fast->core, tally.in_bins_count);
    if (problem == NULL)
        problem = fast_recent_check(fast, tally.kept_count);
    if (problem == NULL)
        problem = fast_record_check_lists(fast, tally.records.listed_count);
    if (problem == NULL && !fast_map_rest_is_sound(heap))
        problem = "the map of the slabs was overwritten";
    if (problem == NULL)
        problem = check_map(fast, &tally);
    if (problem == NULL)
        problem = fast_absent_check_lists(fast, tally.absent_count, tally.absent_units);
    if (problem == NULL)
        problem = check_classes(fast, tally.listed_count);
    if (problem == NULL)
        problem = check_dissolved(fast, &tally);
    return problem;
}
