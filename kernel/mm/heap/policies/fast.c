/*
 * Slabs serve blocks of up to 16 KiB (fast_slab.h). Under them, the bins of fast_core.h serve
 * larger and aligned blocks, and rare sizes: a class with few blocks does not get a slab. Every
 * operation takes constant time. docs/DESIGN.md has the policy in a page, and docs/READING.md the
 * order of its files.
 *
 *   size -> class -> word of free slots -> slot                        (allocation)
 *   address -> map -> slab -> slot number -> bit, canaries             (free)
 *
 * The common case of both is a straight run of instructions in fast_allocate() and fast_free();
 * everything else is behind a call. A rare case stands before its caller, so begin with these two.
 */
#include "kernel/mm/heap/policies/fast.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_block.h"
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_dissolve.h"
#include "kernel/mm/heap/policies/fast_validate.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_recent.h"
#include "kernel/mm/heap/policies/fast_view.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

/* A class gets its first slab when its blocks have this many bytes. With fewer bytes a page that is
 * mostly empty would cost too much.
 * Measured: with 1 KiB, the kernel's mix takes 77 instructions instead of 69. */
#define FIRST_SLAB_BYTES ((size_t)256)

/* --- Allocation ------------------------------------------------------------------------------- */

/* Not inline, to keep the path of every call short. */
static __attribute__((noinline)) void *fail(struct heap *heap, const void *caller)
{
    heap_fault_report(heap, caller);
    return NULL;
}

/* True if a new slab is worth its memory: the class's blocks must fill a good part of the slab. A
 * class that is a mass also gets one, since a dense slab takes the least memory. A block of up to
 * 24 bytes takes no more in the core than in a padded slot, so it needs no slab. If memory is
 * short, only a dense class gets a slab. */
static bool is_worth_a_slab(const struct heap *heap, size_t class_index, size_t size_bytes)
{
    const struct fast_state *fast = fast_of(heap);
    const struct fast_class *size_class = &fast->classes[class_index];
    if (fast_dissolve_is_due(fast))
        return false;
    if (fast_class_is_dense(class_index))
        return true;
    if (size_class->is_mass && size_bytes > 16 && fast_units_for(size_bytes) == FAST_MINIMUM_UNITS)
        return false;
    if (fast_slab_memory_is_short(heap))
        return false;
    return size_class->slot_count != 0 ||
           size_class->core_count * size_class->stride_bytes >= FIRST_SLAB_BYTES;
}

/* Open a slab. The heap grows for it only if the core has no free memory for the block either. If
 * it must not grow, and no free block is as long as a page, the attempt would fail, so it is not
 * made. If memory is short, a slab without live blocks is closed instead. Only a dense class asks
 * for a slab then. */
static bool open_slab(struct heap *heap, size_t class_index, size_t size_bytes)
{
    const struct fast_core *core = &fast_of(heap)->core;
    if (fast_class_is_dense(class_index) && fast_of(heap)->empty[1] != NULL &&
        fast_slab_memory_is_short(heap)) {
        (void)fast_slab_flush_one(heap);
        return false;
    }
    const size_t page_units = FAST_PAGE_BYTES / SEALED_UNIT_BYTES;
    bool has_page = fast_core_may_have_room(core, page_units);
    bool may_grow = heap->pages.grow != NULL && !fast_core_has_room(heap, size_bytes);
    return (has_page || may_grow) && fast_slab_open(heap, class_index, size_bytes, may_grow);
}

/* The class has no other slab with a free slot than its current one. This was found out in few
 * instructions, so a step towards its next slab is done here. Otherwise the request that needs the
 * slab does the step, and gets a block of the core. When memory is short, what is kept for slabs
 * is given up, so that a request which fails need not. False: the heap is corrupt, and the fault is
 * reported. */
static inline bool look_ahead(struct heap *heap, size_t class_index, const void *caller)
{
    if (fast_slab_memory_is_short(heap))
        fast_slab_release_surplus(heap, false);
    else
        fast_slab_prepare(heap, fast_of(heap)->current[class_index]);
    heap_fault_report(heap, caller);
    return !heap->is_corrupt;
}

/* The class has no free slot, and no current slab. While memory is short, a dense class first uses
 * the free slots of the padded class for this size. */
static __attribute__((noinline)) void *allocate_small_new(struct heap *heap, size_t size_bytes,
                                                          const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast->class_of[size_bytes];
    size_t padded_index = size_bytes / 16;
    if (padded_index != class_index && fast_slab_memory_is_short(heap) &&
        (fast_class_has_slot(fast->current[padded_index]) || fast_class_refill(heap, padded_index)))
        return fast_class_allocate(heap, fast->current[padded_index], size_bytes);
    if (heap->is_corrupt)
        return fail(heap, caller);
    if (!is_worth_a_slab(heap, class_index, size_bytes))
        return fast_block_allocate_small(heap, size_bytes, caller);
    if (!open_slab(heap, class_index, size_bytes))
        return heap->is_corrupt ? fail(heap, caller)
                                : fast_block_allocate_small(heap, size_bytes, caller);
    void *slot = fast_class_allocate(heap, fast->current[class_index], size_bytes);
    heap_zero_set_dirty(heap); /* the canary covers bytes of the block */
    heap_fault_report(heap, caller);
    return heap->is_corrupt ? NULL : slot;
}

/* The class's current slab has no other slot that is prepared. */
static __attribute__((noinline)) void *allocate_small_other(struct heap *heap, size_t size_bytes,
                                                            const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast->class_of[size_bytes];
    if (!fast_class_next(heap, class_index))
        return heap->is_corrupt ? fail(heap, caller) : allocate_small_new(heap, size_bytes, caller);
    if (fast->classes[class_index].partial == NULL && !look_ahead(heap, class_index, caller))
        return NULL;
    return fast_class_allocate(heap, fast->current[class_index], size_bytes);
}

/* The class's current word is used up. */
static __attribute__((noinline)) void *
allocate_small_beyond_word(struct heap *heap, size_t size_bytes, const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast->class_of[size_bytes];
    if (fast_class_turn(fast, class_index))
        return fast_class_allocate(heap, fast->current[class_index], size_bytes);
    if (fast->current[class_index] != &fast_no_slab || fast_class_has_other(fast, class_index))
        return allocate_small_other(heap, size_bytes, caller);
    return allocate_small_new(heap, size_bytes, caller);
}

/* True if a new slab is worth its memory. A class gets its first one with its second block. The
 * core's blocks have no bytes to spare, so they are better when memory is short. */
static bool is_worth_a_medium_slab(const struct heap *heap, const struct fast_class *size_class)
{
    return (size_class->slot_count != 0 || size_class->core_count != 0) &&
           !fast_dissolve_is_due(fast_of(heap)) && !fast_slab_memory_is_short(heap);
}

/* The medium class has no free slot, and no current slab. */
static __attribute__((noinline)) void *allocate_medium_new(struct heap *heap, size_t size_bytes,
                                                           const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast_class_of_medium(fast, size_bytes);
    if (!is_worth_a_medium_slab(heap, &fast->classes[class_index]))
        return fast_block_allocate(heap, size_bytes, caller);
    if (!open_slab(heap, class_index, size_bytes))
        return heap->is_corrupt ? fail(heap, caller)
                                : fast_block_allocate(heap, size_bytes, caller);
    void *slot = fast_class_allocate_medium(heap, fast->current[class_index], size_bytes);
    heap_zero_set_dirty(heap);
    heap_fault_report(heap, caller);
    return heap->is_corrupt ? NULL : slot;
}

/* The medium class's current slab is full. */
static __attribute__((noinline)) void *allocate_medium_other(struct heap *heap, size_t size_bytes,
                                                             const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast_class_of_medium(fast, size_bytes);
    if (!fast_class_next(heap, class_index))
        return heap->is_corrupt ? fail(heap, caller)
                                : allocate_medium_new(heap, size_bytes, caller);
    if (fast->classes[class_index].partial == NULL && !look_ahead(heap, class_index, caller))
        return NULL;
    return fast_class_allocate_medium(heap, fast->current[class_index], size_bytes);
}

/* The medium class's current slab has a slot in another word. */
static __attribute__((noinline)) void *allocate_medium_turn(struct heap *heap, size_t size_bytes,
                                                            const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast_class_of_medium(fast, size_bytes);
    if (!fast_class_turn(fast, class_index))
        return allocate_medium_other(heap, size_bytes, caller);
    return fast_class_allocate_medium(heap, fast->current[class_index], size_bytes);
}

/* The medium class's current word is used up. */
static __attribute__((noinline)) void *
allocate_medium_beyond_word(struct heap *heap, size_t size_bytes, const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    size_t class_index = fast_class_of_medium(fast, size_bytes);
    struct fast_slab *slab = fast->current[class_index];
    if (slab->used_count != slab->reached_count)
        return allocate_medium_turn(heap, size_bytes, caller);
    if (slab->reached_count != slab->slot_count)
        return fast_class_end_medium(heap, slab, fast_class_take_unused(fast, slab), size_bytes);
    if (slab != &fast_no_slab || fast_class_has_other(fast, class_index))
        return allocate_medium_other(heap, size_bytes, caller);
    return allocate_medium_new(heap, size_bytes, caller);
}

static void *allocate_medium(struct heap *heap, size_t size_bytes, const void *caller)
{
    const struct fast_state *fast = fast_of(heap);
    if (size_bytes > fast->slab_block_bytes)
        return fast_block_allocate(heap, size_bytes, caller);
    struct fast_slab *slab = fast->current[fast_class_of_medium(fast, size_bytes)];
    if (!fast_class_has_slot(slab))
        return allocate_medium_beyond_word(heap, size_bytes, caller);
    return fast_class_allocate_medium(heap, slab, size_bytes);
}

static void *fast_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    if (size_bytes > FAST_PADDED_MAX)
        return allocate_medium(heap, size_bytes, caller);
    struct fast_slab *slab = fast_of(heap)->current[fast_of(heap)->class_of[size_bytes]];
    if (!fast_class_has_slot(slab))
        return allocate_small_beyond_word(heap, size_bytes, caller);
    return fast_class_allocate(heap, slab, size_bytes);
}

static void *fast_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                   const void *caller)
{
    if (!is_power_of_two(alignment_bytes)) {
        heap->counters.failure_count++;
        return NULL;
    }
    if (alignment_bytes <= HEAP_ALIGNMENT_BYTES)
        return fast_allocate(heap, size_bytes, caller);
    return fast_block_allocate_aligned(heap, size_bytes, alignment_bytes, caller);
}

/* --- Free ------------------------------------------------------------------------------------- */

static __attribute__((noinline)) void relist_other(struct heap *heap, struct fast_slab *slab,
                                                   const void *caller)
{
    fast_slab_relist(heap, slab);
    fast_dissolve_look(heap);
    heap_fault_report(heap, caller);
}

/* A free has counted the slab's live blocks down to 0. If the slab is current, and the newest of
 * those that are kept without live blocks, nothing changes. So a program whose only block of a size
 * comes and goes pays for this test only. */
static __attribute__((noinline)) void relist_slab(struct heap *heap, struct fast_slab *slab,
                                                  const void *caller)
{
    const struct fast_state *fast = fast_of(heap);
    if (fast->empty[0] != slab || fast->current[slab->class_index] != slab ||
        !fast_slot_guard_is_intact(fast, slab))
        relist_other(heap, slab, caller);
}

/* Complete a free. Precondition: the slot's bit is set. */
static inline void count_free_slot(struct heap *heap, struct fast_slab *slab, size_t size_bytes,
                                   const void *caller)
{
    heap_count_free(heap, size_bytes);
    if (--slab->used_count == 0)
        relist_slab(heap, slab, caller);
}

/* Free a pointer into a slab that is not an intact live block, or that has an unusual end. */
static void free_other_slot(struct heap *heap, struct fast_slab *slab, uint8_t *slot,
                            const void *caller)
{
    unsigned index;
    size_t size_bytes;
    if (!fast_validate_other_slot(heap, slab, slot, &index, &size_bytes))
        return;
    if (slab->is_dissolved) {
        heap_count_free(heap, size_bytes);
        fast_dissolve_free(heap, slab, index, size_bytes);
        return;
    }
    fast_slot_clear_end(slab, index);
    fast_slot_mark_free(fast_of(heap), slab, index, size_bytes);
    if (fast_slot_make_free(slab, index))
        count_free_slot(heap, slab, size_bytes, caller);
}

/* The address is in the pages of a slab. The core may have memory there: behind the last slot, or
 * where a dissolved slab has no piece. */
static __attribute__((noinline)) void free_from_slab(struct heap *heap, uint8_t *block,
                                                     const void *caller, struct fast_slab *slab)
{
    slab = fast_piece_owner(slab, block);
    if (slab == &fast_no_slab) {
        fast_block_free(heap, block, caller);
        return;
    }
    free_other_slot(heap, slab, block, caller);
    heap_fault_report(heap, caller);
}

/* Free a pointer to no slot, or to a free one, or into a slab whose `reciprocal` is 0. Such a slab
 * is dissolved, or one of its dense slots has an end. */
static __attribute__((noinline)) void free_elsewhere(struct heap *heap, uint8_t *block,
                                                     const void *caller, struct fast_slab *slab)
{
    if (slab == &fast_no_slab || fast_piece_is_behind(slab, block))
        fast_block_free(heap, block, caller);
    else
        free_from_slab(heap, block, caller, slab);
}

/* A slot with an end that is not the usual one. Its bit is set already, and is cleared again, since
 * the check of the pointer expects a live slot. */
static __attribute__((noinline)) void free_unusual(struct heap *heap, uint8_t *block,
                                                   const void *caller, struct fast_slab *slab)
{
    unsigned index;
    (void)fast_slot_index(slab, block, &index);
    fast_slot_make_live(slab, index);
    free_from_slab(heap, block, caller, slab);
}

/* A slot of a dense slab, or of a medium one with an unusual end. Its bit is set already. */
static __attribute__((noinline)) void free_dense(struct heap *heap, uint8_t *block,
                                                 const void *caller, struct fast_slab *slab)
{
    unsigned index;
    (void)fast_slot_index(slab, block, &index);
    if (fast_slab_is_dense(slab) && fast_slot_next_is_intact(fast_of(heap), slab, index)) {
        fast_slot_write_free(block, fast_canary(fast_of(heap), (uintptr_t)block));
        count_free_slot(heap, slab, slab->stride_bytes, caller);
    } else
        free_unusual(heap, block, caller, slab);
}

/* Free a pointer that is not into a padded slab, or is no live slot of it. */
static __attribute__((noinline)) void free_other(struct heap *heap, uint8_t *block,
                                                 const void *caller, struct fast_slab *slab)
{
    unsigned index;
    size_t size_bytes;
    uint64_t free_word;
    if (!fast_slot_index(slab, block, &index) || !fast_slot_make_free(slab, index))
        free_elsewhere(heap, block, caller, slab);
    else if (fast_slab_is_medium(slab) &&
             fast_slot_is_usual_medium(fast_of(heap), slab, block, &size_bytes, &free_word)) {
        fast_slot_write_free(block, free_word);
        count_free_slot(heap, slab, size_bytes, caller);
    } else
        free_dense(heap, block, caller, slab);
}

static void fast_free(struct heap *heap, void *block, const void *caller)
{
    struct fast_slab *slab = fast_map_find(fast_of(heap), block);
    unsigned index;
    size_t size_bytes;
    uint64_t free_word;
    if (!fast_slot_padded_index(slab, block, &index) || !fast_slot_make_free(slab, index))
        free_other(heap, block, caller, slab);
    else if (fast_slot_is_usual(fast_of(heap), slab, block, &size_bytes, &free_word)) {
        fast_slot_write_free(block, free_word);
        count_free_slot(heap, slab, size_bytes, caller);
    } else
        free_unusual(heap, block, caller, slab);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* Return a new block with the old one's content, or NULL. A block that grows will grow again, which
 * a block of the core can do in place. So it gets no slot of a medium slab. */
static void *copy(struct heap *heap, const void *block, size_t old_bytes, size_t size_bytes,
                  size_t alignment_bytes, const void *caller)
{
    bool is_medium = alignment_bytes == SEALED_UNIT_BYTES && size_bytes > FAST_PADDED_MAX;
    void *moved = is_medium ? fast_block_allocate(heap, size_bytes, caller)
                            : fast_allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    if (moved != NULL)
        memcpy(moved, block, smaller(old_bytes, size_bytes));
    return moved;
}

/* The same for a slot of a dissolved slab, which takes many instructions to free. So no slab is
 * opened or dissolved for the new block, as long as there is another place. */
static void *copy_dissolved(struct heap *heap, const void *slot, size_t old_bytes,
                            size_t size_bytes, const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_slab *slab =
        size_bytes > FAST_PADDED_MAX ? &fast_no_slab : fast->current[fast->class_of[size_bytes]];
    void *moved = fast_class_has_slot(slab) ? fast_class_allocate(heap, slab, size_bytes)
                                            : fast_block_allocate_at_once(heap, size_bytes);
    if (moved == NULL)
        return copy(heap, slot, old_bytes, size_bytes, SEALED_UNIT_BYTES, caller);
    memcpy(moved, slot, smaller(old_bytes, size_bytes));
    return moved;
}

/* Free the old block after it was copied. */
static inline void leave_slot(struct heap *heap, struct fast_slab *slab, unsigned index,
                              size_t size_bytes, const void *caller)
{
    if (slab->is_dissolved) {
        heap_count_free(heap, size_bytes);
        fast_dissolve_free(heap, slab, index, size_bytes);
        heap_fault_report(heap, caller);
        return;
    }
    if (slab->reciprocal == 0)
        fast_slot_clear_end(slab, index);
    fast_slot_mark_free(fast_of(heap), slab, index, size_bytes);
    if (fast_slot_make_free(slab, index))
        count_free_slot(heap, slab, size_bytes, caller);
}

/* True if a block of this size has its place in the slab's class. */
static bool stays_in_slot(const struct fast_state *fast, const struct fast_slab *slab,
                          size_t size_bytes)
{
    if (fast_slab_is_medium(slab))
        return size_bytes > FAST_PADDED_MAX && size_bytes <= FAST_MEDIUM_MAX &&
               fast_class_of_medium(fast, size_bytes) == slab->class_index;
    return fast_slab_is_padded(slab) ? size_bytes / 16 == slab->class_index
                                     : size_bytes == slab->stride_bytes;
}

/* A block that cannot move stays if it has room, so a smaller size never fails. */
static void *reallocate_slot(struct heap *heap, struct fast_slab *slab, uint8_t *slot,
                             size_t size_bytes, const void *caller)
{
    unsigned index;
    size_t old_bytes;
    if (!fast_validate_slot(heap, slab, slot, &index, &old_bytes))
        return fail(heap, caller);
    bool stays = stays_in_slot(fast_of(heap), slab, size_bytes);
    if (!stays) {
        void *moved = slab->is_dissolved
                          ? copy_dissolved(heap, slot, old_bytes, size_bytes, caller)
                          : copy(heap, slot, old_bytes, size_bytes, SEALED_UNIT_BYTES, caller);
        if (moved != NULL) {
            leave_slot(heap, slab, index, old_bytes, caller);
            return heap->is_corrupt ? NULL : moved;
        }
        if (heap->is_corrupt || size_bytes > fast_slot_capacity(slab))
            return NULL;
        heap->counters.failure_count--; /* the failed copy was not a request */
    }
    if (stays && fast_slab_is_padded(slab))
        fast_slot_move_end(fast_of(heap), slab, slot, size_bytes);
    else
        fast_slot_set_size(fast_of(heap), slab, index, size_bytes);
    heap_count_resize(heap, old_bytes, size_bytes);
    return slot;
}

static void *reallocate_block(struct heap *heap, uint8_t *block, size_t size_bytes,
                              const void *caller)
{
    uint64_t header = 0;
    if (!fast_validate_block(heap, block, &header))
        return fail(heap, caller);
    size_t old_bytes = sealed_size(header);
    if (size_bytes < heap->limit_bytes && fast_block_resize(heap, block, header, size_bytes)) {
        heap_count_resize(heap, old_bytes, size_bytes);
        if (size_bytes < old_bytes)
            heap_end_give_back(heap);
        return block;
    }
    if (heap->is_corrupt)
        return fail(heap, caller);
    void *moved = copy(heap, block, old_bytes, size_bytes, sealed_alignment(header), caller);
    /* The header is read again, since the allocation may have freed the memory before it. */
    if (moved != NULL &&
        (!fast_validate_block(heap, block, &header) || !fast_block_free_valid(heap, block, header)))
        return fail(heap, caller);
    return moved;
}

static void *fast_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    if (block == NULL)
        return fast_allocate(heap, size_bytes, caller);
    if (size_bytes == 0) {
        fast_free(heap, block, caller);
        return NULL;
    }
    struct fast_slab *slab = fast_piece_owner(fast_map_find(fast_of(heap), block), block);
    if (slab != &fast_no_slab)
        return reallocate_slot(heap, slab, block, size_bytes, caller);
    return reallocate_block(heap, block, size_bytes, caller);
}

/* False: it is not a live block, and the fault is recorded. */
static bool read_size(struct heap *heap, const void *block, size_t *ret_size_bytes)
{
    unsigned index;
    uint64_t header = 0;
    const struct fast_slab *slab = fast_piece_owner(fast_map_find(fast_of(heap), block), block);
    if (slab != &fast_no_slab)
        return fast_validate_slot(heap, slab, block, &index, ret_size_bytes);
    if (!fast_validate_block(heap, block, &header))
        return false;
    *ret_size_bytes = sealed_size(header);
    return true;
}

static size_t fast_usable_size(struct heap *heap, const void *block, const void *caller)
{
    size_t size_bytes;
    if (block == NULL)
        return 0;
    if (read_size(heap, block, &size_bytes))
        return size_bytes;
    heap_fault_report(heap, caller);
    return 0;
}

/* --- The heap's ends -------------------------------------------------------------------------- */

/* A slab has two slots or more, and takes at most 1/FAST_SLABS_IN_A_HEAP of the heap. So a block of
 * more than half of that gets no slab, and needs no look at its class. A heap that becomes smaller
 * still uses its slabs, so the limit never falls. */
static void raise_slab_block_bytes(struct heap *heap, size_t heap_bytes)
{
    size_t most_bytes = heap_bytes / FAST_SLABS_IN_A_HEAP / 2;
    if (most_bytes > fast_of(heap)->slab_block_bytes)
        fast_of(heap)->slab_block_bytes = smaller(most_bytes, FAST_MEDIUM_MAX);
}

static void fast_initialise(struct heap *heap)
{
    uint8_t *base = heap->base;
    memset(fast_of(heap), 0, sizeof(struct fast_state));
    fast_core_initialise(&fast_of(heap)->core, base, heap->size_bytes,
                         sealed_begin_life(base, heap->secret));
    fast_recent_initialise(&fast_of(heap)->recent, heap->limit_bytes);
    fast_slot_begin(fast_of(heap));
    fast_class_initialise_all(fast_of(heap));
    raise_slab_block_bytes(heap, heap->size_bytes);
}

static bool fast_extend(struct heap *heap, size_t additional_bytes)
{
    struct fast_core *core = &fast_of(heap)->core;
    fast_core_move_end(core, core->end + additional_bytes);
    raise_slab_block_bytes(heap, heap->size_bytes + additional_bytes);
    return true;
}

static size_t fast_free_tail(const struct heap *heap)
{
    return fast_of(heap)->core.top_units * SEALED_UNIT_BYTES;
}

/* In a heap without live blocks, only the map of absent pages lies between free memory. The heap
 * starts again before the first of these pages, so that the others go back with the end. */
static void fast_trim(struct heap *heap)
{
    fast_recent_flush(heap);
    fast_dissolve_all(heap);
    fast_slab_flush(heap);
    size_t kept_bytes = fast_absent_first_offset(heap);
    if (kept_bytes == 0 || heap->pages.shrink == NULL || !fast_view_is_empty(heap))
        return;
    size_t bytes = heap->size_bytes - kept_bytes;
    heap_end_move_down(heap, bytes);
    fast_initialise(heap);
}

static void fast_cut(struct heap *heap, size_t bytes)
{
    struct fast_core *core = &fast_of(heap)->core;
    if (bytes > fast_free_tail(heap))
        fast_absent_cut_tail(heap);
    else
        fast_core_move_end(core, core->end - bytes);
}

static const struct heap_operations fast_operations = {
    .allocate = fast_allocate,
    .allocate_aligned = fast_allocate_aligned,
    .free = fast_free,
    .reallocate = fast_reallocate,
    .usable_size = fast_usable_size,
};

#define STORAGE_BYTES (sizeof(struct heap) + sizeof(struct fast_state))

static const struct heap_policy_functions functions = {
    .minimum_extend_bytes = SEALED_UNIT_BYTES,
    .block_overhead_bytes = 6 * SEALED_UNIT_BYTES,
    .operations = &fast_operations,
    .initialise = fast_initialise,
    .extend = fast_extend,
    .free_tail = fast_free_tail,
    .cut = fast_cut,
    .absent_tail = fast_absent_tail,
    .discard = fast_absent_discard_all,
    .restore = fast_absent_restore,
    .present_bytes = fast_absent_present_bytes,
    .trim = fast_trim,
    .survey = fast_view_survey,
    .walk = fast_view_walk,
    .walk_free = fast_view_walk_free,
    .check = fast_view_check,
};

_Static_assert(_Alignof(struct fast_state) <= _Alignof(struct heap), "it follows struct heap");
HEAP_ASSERT_STORAGE(STORAGE_BYTES, struct heap_fast_storage);

const struct heap_policy heap_policy_fast = {
    .name = "fast",
    .storage_bytes = STORAGE_BYTES,
    .minimum_bytes = 4 * SEALED_UNIT_BYTES,
    .maximum_bytes = SEALED_BYTES_MAX,
    .functions = &functions,
};
