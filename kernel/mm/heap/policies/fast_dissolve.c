#include "kernel/mm/heap/policies/fast_dissolve.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_record.h"

/* --- Which slab ------------------------------------------------------------------------------- */

/* From now on the slab's slots are held, and no class allocates from them. It is on no list. */
static void begin(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    fast_slab_forget_empty(fast, slab);
    fast_class_count_closed(heap, &fast->classes[slab->class_index], slab);
    for (unsigned w = 0; w < fast_slab_word_count(slab->slot_count); w++)
        fast_slab_marks(slab)[w] |= slab->free[w];
    slab->reciprocal = 0;
    slab->padded_reciprocal = 0;
    slab->is_dissolved = true;
    slab->next = fast->dissolved;
    slab->previous = NULL;
    if (slab->next != NULL)
        slab->next->previous = slab;
    fast->dissolved = slab;
    fast->dissolving = slab;
    fast->dissolving_index = 0;
}

/* The class does not need its current slab. */
static __attribute__((noinline)) void retire(struct heap *heap, struct fast_slab *slab,
                                             unsigned class_index)
{
    struct fast_state *fast = fast_of(heap);
    if (!fast_slab_is_sound(fast, slab)) {
        (void)sealed_record_corrupt(heap, (const uint8_t *)slab);
        return;
    }
    fast->current[class_index] = &fast_no_slab;
    fast_class_add(fast, slab, slab->used_count);
}

void fast_dissolve_look(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    unsigned class_index = fast->looked_at;
    struct fast_slab *slab = fast->current[class_index];
    fast->looked_at = class_index == FAST_CLASS_COUNT - 1 ? 0 : class_index + 1;
    if (slab == &fast_no_slab || heap->is_corrupt || slab->stride_bytes == SEALED_UNIT_BYTES ||
        fast->refill_count - fast->classes[class_index].refilled_at < FAST_CLASS_COUNT)
        return;
    if (fast_slab_is_empty(slab) || slab->used_count > slab->slot_count / FAST_SPARSE_PART)
        return;
    retire(heap, slab, class_index);
}

/* Choose the slab to dissolve next, if there is one. */
static void choose(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    for (unsigned w = FAST_CLASS_WORDS; w-- > 0;) {
        if (fast->sparse_classes[w] == 0)
            continue;
        unsigned class_index = w * 64 + 63 - (unsigned)__builtin_clzll(fast->sparse_classes[w]);
        struct fast_slab *first = fast->sparse[class_index];
        if (fast_slab_is_empty(first)) {
            if (!fast_slab_flush_one(heap)) /* its count is wrong: an empty slab could be closed */
                (void)sealed_record_corrupt(heap, (const uint8_t *)first);
            return;
        }
        struct fast_slab *slab = fast_class_take_sparse(heap, class_index);
        if (slab != NULL && fast_slab_is_sound(fast, slab))
            begin(heap, slab);
        else if (slab != NULL)
            (void)sealed_record_corrupt(heap, (const uint8_t *)slab);
        return;
    }
}

/* --- Dissolving ------------------------------------------------------------------------------- */

/* Turn a free run of the chosen slab into a block of the core. False: it has none, or no slab is
 * chosen. */
static bool cut_run(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_slab *slab = fast->dissolving;
    if (slab == NULL)
        return false;
    unsigned index = fast_piece_next_free(slab, fast->dissolving_index);
    if (index == slab->slot_count) {
        fast->dissolving = NULL;
        return false;
    }
    (void)fast_piece_cut(heap, slab, index, &fast->dissolving_index);
    return true;
}

void fast_dissolve_step(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    fast_dissolve_look(heap);
    if (heap->is_corrupt)
        return;
    if (!cut_run(heap) && fast_dissolve_is_due(fast))
        choose(heap);
}

void fast_dissolve_all(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    while (!heap->is_corrupt && (fast->dissolving != NULL || fast->sparse_page_count != 0)) {
        if (!cut_run(heap))
            choose(heap);
    }
}

/* --- Free ------------------------------------------------------------------------------------- */

/* The last live slot was freed. */
static void drop(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    uint8_t *pages = slab->slots - fast_class_first_bytes(slab->class_index);
    struct fast_slab *last = slab; /* nobody needs the list's end */
    if (!fast_slab_unlink(fast, slab, &fast->dissolved, &last)) {
        (void)sealed_record_corrupt(heap, (const uint8_t *)slab);
        return;
    }
    if (fast->dissolving == slab)
        fast->dissolving = NULL;
    (void)fast_map_clear_pages(fast, pages, slab->page_count, slab);
    fast_map_drop_unused_leaves(heap, pages, slab->page_count);
    fast_record_release(heap, slab);
}

void fast_dissolve_free(struct heap *heap, struct fast_slab *slab, unsigned index,
                        size_t size_bytes)
{
    unsigned end;
    (void)fast_slot_make_free(slab, index);
    fast_slab_marks(slab)[index / 64] |= UINT64_C(1) << index % 64;
    fast_piece_write_tombstone(fast_of(heap), fast_slot_at(slab, index), size_bytes);
    slab->used_count--;
    if (!fast_piece_cut(heap, slab, index, &end))
        return;
    if (slab->used_count == 0)
        drop(heap, slab);
    else
        fast_slab_release_surplus(heap, true);
    heap_end_give_back(heap);
    fast_absent_discard_surplus(heap);
}
