/*
 * Slabs for blocks of up to 1 KiB (fast_slab.h), and under them the segregated free lists of
 * fast_core.h, which serve larger ones, aligned ones, and sizes of which there are only a few: a
 * class without a mass of blocks does not get a slab. Every operation takes constant time.
 *
 *   size -> class -> word of free slots -> slot                        (allocation)
 *   address -> map -> slab -> slot number -> bit, canaries             (free)
 *
 * The common case of both is a straight run of instructions in fast_allocate() and fast_free();
 * everything else is behind a call.
 */
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policies/fast_slab.h"
#include "kernel/mm/heap/policies/fast_view.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

/* A class gets its first slab when its blocks have this many bytes: no fewer make up for what a
 * page that is mostly empty costs. Fewer do while so much is free that a page for each class would
 * be a small part of it. */
#define FIRST_SLAB_BYTES        ((size_t)1024)
#define FIRST_SLAB_PLENTY_BYTES ((size_t)256)
#define PLENTY_UNITS            (((size_t)8 << 20) / SEALED_UNIT_BYTES)

/* A hole below this is of use to small sizes alone. */
#define HOLE_UNITS 19

/* When so much was freed below the top, and this part of the heap, the empty slabs are closed,
 * which may lie between it and the top: the end of the heap can then go back. */
#define FLUSH_UNITS (((size_t)4 << 20) / SEALED_UNIT_BYTES)
#define FLUSH_PART  4

/* --- Faults ----------------------------------------------------------------------------------- */

static void record_fault(struct heap *heap, enum heap_fault_kind kind, const uint8_t *block,
                         size_t size_bytes, const void *pointer, const char *detail)
{
    const struct heap_fault fault = {.kind = kind,
                                     .detail = detail,
                                     .pointer = pointer,
                                     .block = block,
                                     .is_free = block != NULL && kind == HEAP_FAULT_DOUBLE_FREE,
                                     .size_bytes = size_bytes};
    (void)heap_fault_record(heap, &fault);
}

/* Record exactly what is wrong with a pointer into a slab that is no intact live slot. */
static void record_bad_slot(struct heap *heap, const struct fast_slab *slab, const uint8_t *pointer)
{
    ptrdiff_t offset = pointer - slab->slots;
    if (offset < 0 || offset / slab->stride_bytes >= slab->slot_count) {
        record_fault(heap, HEAP_FAULT_BAD_POINTER, NULL, 0, pointer,
                     "the pointer is into the heap's own memory");
        return;
    }
    unsigned index = (unsigned)(offset / slab->stride_bytes);
    const uint8_t *slot = fast_slot_at(slab, index);
    size_t size_bytes = fast_slot_size(slab, index);
    if (fast_slot_is_free(slab, index))
        record_fault(heap, HEAP_FAULT_DOUBLE_FREE, slot, size_bytes, pointer,
                     "the block is free already");
    else if (slot != pointer)
        record_fault(heap, HEAP_FAULT_BAD_POINTER, slot, size_bytes, pointer,
                     "the pointer is not the start of a block");
    else if (fast_slab_is_padded(slab) && fast_slot_read_mark(slot) > 15)
        record_fault(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer,
                     "the byte before the block was overwritten");
    else
        record_fault(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer,
                     "the bytes behind the block were overwritten");
}

/* What validate_slot() refuses may still have an end that is not the usual one. */
static __attribute__((noinline)) bool validate_other_slot(struct heap *heap,
                                                          const struct fast_slab *slab,
                                                          const uint8_t *slot, unsigned *ret_index,
                                                          size_t *ret_size_bytes)
{
    if (fast_slot_find(slab, slot, ret_index) && !fast_slot_is_free(slab, *ret_index) &&
        fast_slot_read(slab, *ret_index, ret_size_bytes))
        return true;
    record_bad_slot(heap, slab, slot);
    return false;
}

/* True if the pointer is a live block of the slab, and intact. False: the fault is recorded. */
static inline bool validate_slot(struct heap *heap, const struct fast_slab *slab,
                                 const uint8_t *slot, unsigned *ret_index, size_t *ret_size_bytes)
{
    return (fast_slot_index(slab, slot, ret_index) && !fast_slot_is_free(slab, *ret_index) &&
            fast_slot_is_intact(slab, slot, ret_size_bytes)) ||
           validate_other_slot(heap, slab, slot, ret_index, ret_size_bytes);
}

/* Record exactly what a pointer is that is neither into a slab nor a block of the core. */
static void record_bad_block(struct heap *heap, const uint8_t *pointer)
{
    size_t size_bytes;
    const struct fast_core *core = &heap->fast.core;
    struct heap_fault fault = sealed_fault_of(core->secret, fast_first(core), core->end, pointer);
    fault.pointer = pointer;
    if (fault.free_bytes != 0 && fast_slot_recall(&heap->fast, pointer, &size_bytes))
        record_fault(heap, HEAP_FAULT_DOUBLE_FREE, pointer, size_bytes, pointer,
                     "the block is free already");
    else
        (void)heap_fault_record(heap, &fault);
}

/* True if the pointer is a live block of the core, and intact. False: the fault is recorded. */
static bool validate_block(struct heap *heap, const uint8_t *block, uint64_t *ret_header)
{
    const struct fast_core *core = &heap->fast.core;
    if (sealed_block_is_intact(core->secret, fast_first(core), core->end, block, ret_header))
        return true;
    record_bad_block(heap, block);
    return false;
}

/* --- Allocation ------------------------------------------------------------------------------- */

static void count_core_blocks(struct fast_state *fast, size_t size_bytes, uint32_t change)
{
    if (size_bytes <= FAST_PADDED_MAX)
        fast->classes[size_bytes / 16].core_count += change;
}

static uint8_t *take(struct heap *heap, const struct heap_request *request, uint64_t *ret_header)
{
    if (heap->is_corrupt)
        return NULL;
    return fast_core_take(heap, fast_units_for(request->size_bytes), request->alignment_bytes,
                          ret_header);
}

/* A block of the core, which does not grow for it. */
static uint8_t *take_block(struct heap *heap, const struct heap_request *request,
                           uint64_t *ret_header)
{
    uint8_t *block = take(heap, request, ret_header);
    if (block == NULL && !heap->is_corrupt) {
        fast_slabs_flush(heap);
        block = take(heap, request, ret_header);
    }
    return block;
}

static void *give_block(struct heap *heap, uint8_t *block, const struct heap_request *request,
                        uint64_t header)
{
    sealed_make_live(heap->fast.core.secret, block, header, request->size_bytes);
    count_core_blocks(&heap->fast, request->size_bytes, 1);
    heap_count_allocation(heap, request->size_bytes);
    return block;
}

static inline void *give_slot(struct heap *heap, struct fast_class *class, size_t size_bytes)
{
    uint8_t *slot = fast_class_take_slot(class);
    if (class->stride_bytes != size_bytes)
        fast_slot_mark_end(slot, class->stride_bytes, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* A slot of the class, which may be longer than the size's own. NULL if it has none. */
static void *allocate_slot_of(struct heap *heap, struct fast_class *class, size_t size_bytes)
{
    unsigned index = 0;
    if (!fast_class_has_slot(class) && !fast_class_refill(&heap->fast, class))
        return NULL;
    uint8_t *slot = fast_class_take_slot(class);
    (void)fast_slot_find(class->slab, slot, &index);
    fast_slot_set_size(class->slab, index, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* The shortest free slot that has room, between the lengths of `first` and `last` times 16 bytes.
 * NULL if there is none. */
static void *allocate_any_slot(struct heap *heap, size_t size_bytes, size_t first, size_t last)
{
    struct fast_class *classes = heap->fast.classes;
    for (size_t units = first; units <= last; units++) {
        void *slot = NULL;
        if (units != 0 && units <= FAST_DENSE_CLASSES && size_bytes <= units * 16)
            slot = allocate_slot_of(heap, &classes[FAST_PADDED_CLASSES + units - 1], size_bytes);
        if (slot == NULL && size_bytes < units * 16)
            slot = allocate_slot_of(heap, &classes[units - 1], size_bytes);
        if (slot != NULL)
            return slot;
    }
    return NULL;
}

/* What is free serves before the heap grows: the core's memory, then a slot that is kept for the
 * other kind of slab of this size. Before a request fails, a slot of any size does. */
static void *find_block(struct heap *heap, size_t size_bytes, size_t alignment_bytes)
{
    const struct heap_request request = {.size_bytes = size_bytes,
                                         .alignment_bytes = alignment_bytes};
    size_t limit_bytes = heap->configuration.limit_bytes;
    bool fits_slot = size_bytes <= FAST_PADDED_MAX && alignment_bytes == SEALED_UNIT_BYTES;
    uint64_t header;
    void *slot = NULL;
    if (!heap->is_corrupt && size_bytes < limit_bytes &&
        alignment_bytes < limit_bytes - size_bytes) {
        uint8_t *block = take_block(heap, &request, &header);
        if (block == NULL && fits_slot && !heap->is_corrupt)
            slot = allocate_any_slot(heap, size_bytes, size_bytes / 16, size_bytes / 16 + 1);
        if (block == NULL && slot == NULL && heap_grow_for(heap, &request))
            block = take(heap, &request, &header);
        if (block != NULL)
            return give_block(heap, block, &request, header);
        if (slot == NULL && fits_slot && !heap->is_corrupt)
            slot = allocate_any_slot(heap, size_bytes, size_bytes / 16 + 2, FAST_PADDED_CLASSES);
    }
    return slot;
}

static __attribute__((noinline)) void *allocate_block(struct heap *heap, size_t size_bytes,
                                                      size_t alignment_bytes, const void *caller)
{
    void *block = find_block(heap, size_bytes, alignment_bytes);
    if (block == NULL)
        heap->counters.failure_count++;
    heap_fault_report(heap, caller);
    return block;
}

/* Little is left of what the heap may ever have. */
static bool memory_is_short(const struct heap *heap)
{
    return fast_core_room_bytes(heap) < heap->configuration.limit_bytes / 2;
}

/* A new slab is worth it: no hole is left that is good for small sizes alone, and the class's
 * blocks would fill a good part of it; or there are so many that what counts is where they take
 * least. A dense slab always wins that. Up to 24 bytes the core takes no more than a padded slot,
 * and nothing for the slab; and what is left of short memory should not be set aside. */
static bool deserves_slab(const struct heap *heap, const struct fast_class *class,
                          size_t size_bytes)
{
    const struct fast_state *fast = &heap->fast;
    size_t units = fast_units_for(size_bytes);
    if (units < HOLE_UNITS && fast_core_has_hole(&fast->core, units, HOLE_UNITS))
        return false;
    if (fast_class_is_dense((size_t)(class - fast->classes)))
        return true;
    if (units == FAST_MINIMUM_UNITS && size_bytes > 16 && class->is_mass)
        return false;
    if (memory_is_short(heap))
        return false;
    size_t least_bytes =
        fast->core.free_units < PLENTY_UNITS ? FIRST_SLAB_BYTES : FIRST_SLAB_PLENTY_BYTES;
    return class->slot_count != 0 || class->core_count * class->stride_bytes >= least_bytes;
}

/* The class's current word is used up. */
static __attribute__((noinline)) void *allocate_small(struct heap *heap, size_t size_bytes,
                                                      const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_class *class = &fast->classes[fast->class_of[size_bytes]];
    struct fast_class *padded = &fast->classes[size_bytes / 16];
    if (fast_class_refill(fast, class))
        return give_slot(heap, class, size_bytes);
    if (padded != class && memory_is_short(heap) &&
        (fast_class_has_slot(padded) || fast_class_refill(fast, padded)))
        return give_slot(heap, padded, size_bytes);
    /* Growing for a slab is for when the core has nothing either. */
    if (deserves_slab(heap, class, size_bytes) &&
        fast_class_open_slab(heap, class, size_bytes, !fast_core_has_room(heap, size_bytes)))
        return give_slot(heap, class, size_bytes);
    return allocate_block(heap, size_bytes, SEALED_UNIT_BYTES, caller);
}

static void *fast_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    if (size_bytes > FAST_PADDED_MAX)
        return allocate_block(heap, size_bytes, SEALED_UNIT_BYTES, caller);
    struct fast_class *class = &heap->fast.classes[heap->fast.class_of[size_bytes]];
    if (!fast_class_has_slot(class))
        return allocate_small(heap, size_bytes, caller);
    return give_slot(heap, class, size_bytes);
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
    return allocate_block(heap, size_bytes, alignment_bytes, caller);
}

/* --- Free ------------------------------------------------------------------------------------- */

static bool flush_is_due(const struct heap *heap)
{
    return heap->configuration.pages.shrink != NULL &&
           heap->fast.freed_units >= heap->size_bytes / FLUSH_PART / SEALED_UNIT_BYTES;
}

static void free_block(struct heap *heap, uint8_t *block)
{
    uint64_t header = 0;
    if (!validate_block(heap, block, &header))
        return;
    size_t size_bytes = sealed_size(header);
    heap_count_free(heap, size_bytes);
    count_core_blocks(&heap->fast, size_bytes, UINT32_MAX);
    sealed_leave_note(block, sealed_header_word(block));
    if (!fast_core_release(heap, block, header))
        return;
    struct fast_state *fast = &heap->fast;
    if (block < fast->core.top)
        fast->freed_units += sealed_units(header);
    if (fast->freed_units >= FLUSH_UNITS && flush_is_due(heap))
        fast_slabs_flush(heap);
    heap_give_back_tail(heap);
}

/* A free has counted the slab's live blocks down to 0. */
static __attribute__((noinline)) void settle_slab(struct heap *heap, struct fast_slab *slab,
                                                  const void *caller)
{
    fast_slab_settle(heap, slab);
    heap_fault_report(heap, caller);
}

/* The slot's bit is set: the rest of freeing it. */
static inline void count_free_slot(struct heap *heap, struct fast_slab *slab, size_t size_bytes,
                                   const void *caller)
{
    heap_count_free(heap, size_bytes);
    if (--slab->used_count == 0)
        settle_slab(heap, slab, caller);
}

/* What is no intact live block of the slab, or has an end that is not the usual one. */
static void free_other_slot(struct heap *heap, struct fast_slab *slab, uint8_t *slot,
                            const void *caller)
{
    unsigned index;
    size_t size_bytes;
    if (!validate_other_slot(heap, slab, slot, &index, &size_bytes))
        return;
    fast_slot_forget_end(slab, index);
    if (fast_slot_make_free(slab, index))
        count_free_slot(heap, slab, size_bytes, caller);
}

static __attribute__((noinline)) void free_other(struct heap *heap, uint8_t *block,
                                                 const void *caller, struct fast_slab *slab)
{
    if (slab != &fast_no_slab)
        free_other_slot(heap, slab, block, caller);
    else if (block != NULL)
        free_block(heap, block);
    heap_fault_report(heap, caller);
}

static void fast_free(struct heap *heap, void *block, const void *caller)
{
    struct fast_slab *slab = fast_slab_of(&heap->fast, block);
    unsigned index;
    size_t size_bytes;
    if (fast_slot_index(slab, block, &index) && fast_slot_is_intact(slab, block, &size_bytes) &&
        fast_slot_make_free(slab, index))
        count_free_slot(heap, slab, size_bytes, caller);
    else
        free_other(heap, block, caller, slab);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* A new block with the old one's content. NULL if there is none. */
static void *copy(struct heap *heap, const void *block, size_t old_bytes, size_t size_bytes,
                  size_t alignment_bytes, const void *caller)
{
    void *moved = fast_allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    if (moved != NULL)
        memcpy(moved, block, smaller(old_bytes, size_bytes));
    return moved;
}

/* The block has a copy elsewhere. */
static inline void leave_slot(struct heap *heap, struct fast_slab *slab, unsigned index,
                              size_t size_bytes, const void *caller)
{
    if (slab->reciprocal == 0)
        fast_slot_forget_end(slab, index);
    if (fast_slot_make_free(slab, index))
        count_free_slot(heap, slab, size_bytes, caller);
}

/* A block that cannot move stays as long as it has room, so to become smaller never fails. */
static void *reallocate_slot(struct heap *heap, struct fast_slab *slab, uint8_t *slot,
                             size_t size_bytes, const void *caller)
{
    unsigned index;
    size_t old_bytes;
    if (!validate_slot(heap, slab, slot, &index, &old_bytes))
        return NULL;
    bool stays = fast_slab_is_padded(slab) ? size_bytes / 16 == slab->class_index
                                           : size_bytes == slab->stride_bytes;
    if (!stays) {
        void *moved = copy(heap, slot, old_bytes, size_bytes, SEALED_UNIT_BYTES, caller);
        if (moved != NULL) {
            leave_slot(heap, slab, index, old_bytes, caller);
            return moved;
        }
        if (heap->is_corrupt || size_bytes > fast_slot_capacity(slab))
            return NULL;
        heap->counters.failure_count--; /* that of the copy, which was no request */
    }
    if (stays && fast_slab_is_padded(slab))
        fast_slot_mark_end(slot, slab->stride_bytes, size_bytes);
    else
        fast_slot_set_size(slab, index, size_bytes);
    heap_count_resize(heap, old_bytes, size_bytes);
    return slot;
}

/* Change the block's size where it is. False: not possible, or something is corrupt. */
static bool resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes)
{
    size_t units = fast_units_for(size_bytes);
    bool done = units > sealed_units(header) ? fast_core_expand(heap, block, units, &header)
                                             : fast_core_shrink(heap, block, units, &header);
    if (done)
        sealed_make_live(heap->fast.core.secret, block, header, size_bytes);
    return done;
}

static void *reallocate_block(struct heap *heap, uint8_t *block, size_t size_bytes,
                              const void *caller)
{
    uint64_t header = 0;
    if (!validate_block(heap, block, &header))
        return NULL;
    size_t old_bytes = sealed_size(header);
    if (size_bytes < heap->configuration.limit_bytes && resize(heap, block, header, size_bytes)) {
        count_core_blocks(&heap->fast, old_bytes, UINT32_MAX);
        count_core_blocks(&heap->fast, size_bytes, 1);
        heap_count_resize(heap, old_bytes, size_bytes);
        if (size_bytes < old_bytes)
            heap_give_back_tail(heap);
        return block;
    }
    if (heap->is_corrupt)
        return NULL;
    void *moved = copy(heap, block, old_bytes, size_bytes, sealed_alignment(header), caller);
    if (moved != NULL)
        free_block(heap, block);
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
    struct fast_slab *slab = fast_slab_of(&heap->fast, block);
    void *resized = slab != &fast_no_slab ? reallocate_slot(heap, slab, block, size_bytes, caller)
                                          : reallocate_block(heap, block, size_bytes, caller);
    heap_fault_report(heap, caller);
    return resized;
}

/* False: the block is no live one, recorded. */
static bool read_size(struct heap *heap, const void *block, size_t *ret_size_bytes)
{
    unsigned index;
    uint64_t header = 0;
    const struct fast_slab *slab = fast_slab_of(&heap->fast, block);
    if (slab != &fast_no_slab)
        return validate_slot(heap, slab, block, &index, ret_size_bytes);
    if (!validate_block(heap, block, &header))
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

static void fast_initialise(struct heap *heap)
{
    uint8_t *base = heap->configuration.base;
    fast_core_initialise(&heap->fast.core, base, heap->size_bytes,
                         sealed_begin_life(base, heap->configuration.secret));
    fast_slabs_initialise(&heap->fast);
}

static bool fast_extend(struct heap *heap, size_t additional_bytes)
{
    struct fast_core *core = &heap->fast.core;
    fast_core_move_end(core, core->end + additional_bytes);
    return true;
}

static size_t fast_free_tail(const struct heap *heap)
{
    return heap->fast.core.top_units * SEALED_UNIT_BYTES;
}

static void fast_trim(struct heap *heap)
{
    fast_slabs_flush(heap);
}

static bool fast_cut(struct heap *heap, size_t bytes)
{
    struct fast_core *core = &heap->fast.core;
    fast_core_move_end(core, core->end - bytes);
    return true;
}

static const struct heap_operations fast_operations = {
    .allocate = fast_allocate,
    .allocate_aligned = fast_allocate_aligned,
    .free = fast_free,
    .reallocate = fast_reallocate,
    .usable_size = fast_usable_size,
};

const struct heap_policy heap_policy_fast = {
    .name = "fast",
    .minimum_bytes = 4 * SEALED_UNIT_BYTES,
    .minimum_extend_bytes = SEALED_UNIT_BYTES,
    .maximum_bytes = SEALED_BYTES_MAX,
    .block_overhead_bytes = 6 * SEALED_UNIT_BYTES,
    .operations = &fast_operations,
    .initialise = fast_initialise,
    .extend = fast_extend,
    .free_tail = fast_free_tail,
    .cut = fast_cut,
    .trim = fast_trim,
    .survey = fast_survey,
    .walk = fast_walk,
    .walk_free = fast_walk_free,
    .check = fast_check,
};
