#include "kernel/mm/heap/fast_slab.h"

/* In a heap below this a slab would be too large a part. */
#define SLABS_FROM_BYTES ((size_t)512 * 1024)
/* No slab is a larger part of the heap, or of what is left of it. */
#define SLABS_IN_A_HEAP 256
#define SLABS_IN_ROOM   64

/* What is left over at a slab's end is at most this part of it … */
#define LOSS_IN_SLAB 24
/* … but while memory is plenty, a class's first slab may lose this part of what is left. */
#define LOSS_IN_ROOM 16384

/* A class is a mass, each of whose canaries costs up to 16 bytes, from so many blocks on, if they
 * have this part of what the heap may ever have, or so many bytes … */
#define MASS_BLOCK_COUNT 256
#define MASS_PART        256
#define MASS_BYTES       ((size_t)1024 * 1024)
/* … and dense if that many slabs in a row were opened for blocks of exactly its least size. */
#define EXACT_RUN 2

/* In slabs without a live block that are kept, so that a program which goes up and down does not
 * close and open them each time. A flush closes them before a block of the core fails or grows the
 * heap. */
#define SPARE_PAGES_MAX 128

/* The header of the block behind the pages lies in their last 8 bytes. */
#define PAGES_LOSS_BYTES SEALED_HEADER_BYTES

_Static_assert(sizeof(struct fast_class) == 64, "a line of the cache, found by a shift");
_Static_assert(FAST_SLAB_PAGES *FAST_PAGE_BYTES / 16 <= UINT16_MAX, "slots are counted in 16 bits");

struct fast_slab fast_no_slab = {.class_index = FAST_CLASS_COUNT};

/* Where there are no slabs. Never written. */
#define NO_SLAB_4  &fast_no_slab, &fast_no_slab, &fast_no_slab, &fast_no_slab
#define NO_SLAB_16 NO_SLAB_4, NO_SLAB_4, NO_SLAB_4, NO_SLAB_4
static struct fast_leaf no_leaf = {{NO_SLAB_16, NO_SLAB_16, NO_SLAB_16, NO_SLAB_16}};
_Static_assert(FAST_LEAF_PAGES == 4 * 16, "no_leaf has a slab for each page");

/* The word of a class that has no slab. Never written, since it has no free slot. */
static uint64_t no_free_slot = 0;

/* --- Memory of the policy's own --------------------------------------------------------------- */

/* NULL if there is none, or something was found corrupt. */
static void *take_own(struct heap *heap, enum fast_own kind, size_t size_bytes,
                      size_t alignment_bytes, const void *caller)
{
    const struct heap_request request = {size_bytes, alignment_bytes, caller};
    size_t units = fast_units_for(size_bytes);
    uint64_t header;
    uint8_t *block = fast_core_take(heap, units, alignment_bytes, caller, &header);
    if (block == NULL && !heap->condemned && heap_grow_for(heap, &request))
        block = fast_core_take(heap, units, alignment_bytes, caller, &header);
    if (block == NULL)
        return NULL;
    header = sealed_header(sealed_units(header), SEALED_OWN) | (header & SEALED_PREVIOUS_FREE) |
             (uint64_t)kind << SEALED_ALIGNMENT_SHIFT;
    sealed_write_header(heap->fast.core.secret, block, header);
    return block;
}

static void release_own(struct heap *heap, void *block, const void *caller)
{
    uint64_t header;
    if (heap->condemned)
        return;
    if (!sealed_read_header(heap->fast.core.secret, block, &header))
        (void)sealed_corrupt(heap, block, caller);
    else
        (void)fast_core_release(heap, block, header, caller);
}

/* --- The map ---------------------------------------------------------------------------------- */

static bool make_map(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    size_t bytes = heap->configuration.limit_bytes;
    if (bytes < SLABS_FROM_BYTES)
        return false;
    size_t length = bytes / FAST_LEAF_BYTES + 2;
    fast->map = take_own(heap, FAST_OWN_MAP, length * sizeof(struct fast_leaf *), SEALED_UNIT_BYTES,
                         caller);
    if (fast->map == NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        fast->map[i] = &no_leaf;
    fast->map_length = length;
    return true;
}

static size_t page_number(const struct fast_state *fast, const uint8_t *page)
{
    return ((uintptr_t)page - fast->map_floor) / FAST_PAGE_BYTES;
}

/* Make sure that the page's place in the map can be written. */
static bool make_leaf(struct heap *heap, size_t page, const void *caller)
{
    struct fast_leaf **place = &heap->fast.map[page / FAST_LEAF_PAGES];
    if (*place != &no_leaf)
        return true;
    struct fast_leaf *leaf = take_own(heap, FAST_OWN_LEAF, sizeof *leaf, SEALED_UNIT_BYTES, caller);
    if (leaf == NULL)
        return false;
    for (size_t i = 0; i < FAST_LEAF_PAGES; i++)
        leaf->slabs[i] = &fast_no_slab;
    *place = leaf;
    return true;
}

static void map_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                      struct fast_slab *slab)
{
    size_t first = page_number(fast, pages);
    for (size_t page = first; page < first + page_count; page++)
        fast->map[page / FAST_LEAF_PAGES]->slabs[page % FAST_LEAF_PAGES] = slab;
}

static bool leaf_is_unused(const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < FAST_LEAF_PAGES; i++) {
        if (leaf->slabs[i] != &fast_no_slab)
            return false;
    }
    return true;
}

static void drop_unused_map(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    bool is_used = false;
    for (size_t i = 0; i < fast->map_length; i++) {
        struct fast_leaf *leaf = fast->map[i];
        if (leaf == &no_leaf)
            continue;
        if (!leaf_is_unused(leaf)) {
            is_used = true;
            continue;
        }
        fast->map[i] = &no_leaf;
        release_own(heap, leaf, caller);
    }
    if (is_used || fast->map_length == 0)
        return;
    fast->map_length = 0;
    release_own(heap, fast->map, caller);
}

/* --- Bits ------------------------------------------------------------------------------------- */

static unsigned word_count_for(unsigned slot_count)
{
    return (slot_count + 63) / 64;
}

/* The word of a slab all of whose slots are free. */
static uint64_t all_free(unsigned slot_count, unsigned word)
{
    unsigned count = slot_count - word * 64;
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

bool fast_slab_is_empty(const struct fast_slab *slab)
{
    for (unsigned w = 0; w < word_count_for(slab->slot_count); w++) {
        if (slab->free[w] != all_free(slab->slot_count, w))
            return false;
    }
    return true;
}

size_t fast_slot_size(const struct fast_slab *slab, const uint8_t *slot)
{
    if (!fast_slab_is_padded(slab))
        return slab->stride_bytes;
    unsigned low_bits = fast_slot_read_mark(slot + slab->stride_bytes);
    return low_bits > 15 ? 0 : slab->stride_bytes - 16u + low_bits;
}

/* --- Classes ---------------------------------------------------------------------------------- */

static size_t first_bytes(size_t class_index)
{
    return fast_class_is_dense(class_index) ? 0 : FAST_GUARD_BYTES;
}

static unsigned slots_in(const struct fast_class *class, size_t class_index, unsigned page_count)
{
    size_t bytes = page_count * FAST_PAGE_BYTES - PAGES_LOSS_BYTES - first_bytes(class_index);
    return (unsigned)(bytes / class->stride_bytes);
}

static void forget_current(struct fast_class *class)
{
    class->slab = NULL;
    class->word = &no_free_slot;
}

void fast_slabs_initialise(struct fast_state *fast, const void *base)
{
    fast->map_floor = (uintptr_t)base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        struct fast_class *class = &fast->classes[i];
        class->stride_bytes =
            (uint32_t)(16 * (fast_class_is_dense(i) ? i + 1 - FAST_PADDED_CLASSES : i + 1));
        class->reciprocal = UINT32_MAX / class->stride_bytes + 1;
        forget_current(class);
    }
    for (size_t size_bytes = 0; size_bytes <= FAST_PADDED_MAX; size_bytes++)
        fast->class_of[size_bytes] = (uint8_t)(size_bytes / 16);
}

static bool blocks_are_mass(const struct heap *heap, const struct fast_class *class,
                            size_t block_count)
{
    size_t part_bytes = heap->configuration.limit_bytes / MASS_PART;
    return block_count >= MASS_BLOCK_COUNT &&
           block_count * class->stride_bytes >= smaller(part_bytes, MASS_BYTES);
}

/* Blocks of exactly a padded class's least size go to dense slabs as long as they are a mass. */
static void choose_class(struct fast_state *fast, size_t padded)
{
    const struct fast_class *class = &fast->classes[padded];
    if (padded == 0 || padded > FAST_DENSE_CLASSES)
        return;
    bool is_dense = class->is_mass && class->exact_run >= EXACT_RUN;
    fast->class_of[padded * 16] = (uint8_t)(is_dense ? FAST_PADDED_CLASSES - 1 + padded : padded);
}

static bool make_current(struct fast_class *class, struct fast_slab *slab)
{
    for (unsigned w = 0; w < word_count_for(slab->slot_count); w++) {
        if (slab->free[w] != 0) {
            class->word = &slab->free[w];
            class->slots = fast_slot_at(slab, w * 64);
            class->slab = slab;
            return true;
        }
    }
    return false;
}

static void list_push(struct fast_class *class, struct fast_slab *slab)
{
    slab->next = class->partial;
    slab->previous = NULL;
    if (class->partial != NULL)
        class->partial->previous = slab;
    class->partial = slab;
}

static void list_remove(struct fast_class *class, const struct fast_slab *slab)
{
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        class->partial = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
}

static struct fast_slab *take_spare(struct fast_state *fast, struct fast_class *class)
{
    struct fast_slab *slab = class->spare;
    if (slab != NULL) {
        class->spare = slab->next;
        fast->spare_pages -= slab->page_count;
    }
    return slab;
}

bool fast_class_refill(struct fast_state *fast, struct fast_class *class)
{
    struct fast_slab *slab = class->slab;
    if (slab != NULL) {
        if (make_current(class, slab))
            return true;
        slab->is_full = true;
        slab->used_count = 1;
        forget_current(class);
    }
    slab = class->partial;
    if (slab != NULL)
        list_remove(class, slab);
    else
        slab = take_spare(fast, class);
    return slab != NULL && make_current(class, slab);
}

/* --- Opening and closing ---------------------------------------------------------------------- */

static void fill_in(struct fast_slab *slab, const struct fast_class *class, size_t class_index,
                    uint8_t *pages, unsigned page_count)
{
    unsigned slot_count = slots_in(class, class_index, page_count);
    *slab = (struct fast_slab){
        .slots = pages + first_bytes(class_index),
        .reciprocal = class->reciprocal,
        .stride_bytes = (uint16_t) class->stride_bytes,
        .slot_count = slot_count,
        .class_index = (uint8_t)class_index,
        .page_count = (uint8_t)page_count,
    };
    for (unsigned w = 0; w < word_count_for(slot_count); w++)
        slab->free[w] = all_free(slot_count, w);
    if (fast_slab_is_padded(slab))
        slab->slots[-1] = SEALED_CANARY;
}

/* All of it, or NULL and nothing. */
static struct fast_slab *build_slab(struct heap *heap, size_t class_index, unsigned page_count,
                                    const void *caller)
{
    struct fast_state *fast = &heap->fast;
    const struct fast_class *class = &fast->classes[class_index];
    uint8_t *pages = take_own(heap, FAST_OWN_PAGES, page_count * FAST_PAGE_BYTES - PAGES_LOSS_BYTES,
                              FAST_PAGE_BYTES, caller);
    if (pages == NULL)
        return NULL;
    size_t page = page_number(fast, pages);
    struct fast_slab *slab = NULL;
    if (make_leaf(heap, page, caller) && make_leaf(heap, page + page_count - 1, caller))
        slab = take_own(heap, FAST_OWN_SLAB,
                        sizeof *slab + word_count_for(slots_in(class, class_index, page_count)) *
                                           sizeof slab->free[0],
                        SEALED_UNIT_BYTES, caller);
    if (slab == NULL) {
        release_own(heap, pages, caller);
        return NULL;
    }
    fill_in(slab, class, class_index, pages, page_count);
    map_pages(fast, pages, page_count, slab);
    return slab;
}

/* The slab that the class's blocks would fill to a third, if that is neither too large nor leaves
 * too much over; or a smaller one, down to half of that, if it leaves less over. 0 if none is worth
 * it. */
static unsigned choose_page_count(const struct heap *heap, const struct fast_class *class)
{
    size_t class_index = (size_t)(class - heap->fast.classes);
    size_t room_bytes = fast_core_room_bytes(heap);
    size_t bytes = ((size_t) class->slot_count + class->core_count) * class->stride_bytes * 3;
    bytes = smaller(bytes, heap->size_bytes / SLABS_IN_A_HEAP);
    bytes = smaller(bytes, room_bytes / SLABS_IN_ROOM);
    bytes = smaller(bytes, FAST_SLAB_PAGES * FAST_PAGE_BYTES);
    unsigned most = bytes < FAST_PAGE_BYTES ? 1 : (unsigned)(bytes / FAST_PAGE_BYTES);
    unsigned best = most;
    for (unsigned pages = most - 1; pages > most / 2; pages--) {
        if (slots_in(class, class_index, pages) * best > slots_in(class, class_index, best) * pages)
            best = pages;
    }
    size_t slab_bytes = best * FAST_PAGE_BYTES;
    size_t loss_bytes =
        slab_bytes - (size_t)slots_in(class, class_index, best) * class->stride_bytes;
    if (loss_bytes <= slab_bytes / LOSS_IN_SLAB || fast_class_is_dense(class_index) ||
        (class->slot_count == 0 && loss_bytes <= room_bytes / LOSS_IN_ROOM))
        return best;
    return 0;
}

bool fast_class_open_slab(struct heap *heap, struct fast_class *class, size_t size_bytes,
                          const void *caller)
{
    struct fast_state *fast = &heap->fast;
    size_t class_index = (size_t)(class - fast->classes);
    if (fast->map_length == 0 && !make_map(heap, caller))
        return false;
    unsigned page_count = choose_page_count(heap, class);
    if (page_count == 0)
        return false;
    struct fast_slab *slab = build_slab(heap, class_index, page_count, caller);
    if (slab == NULL && page_count > 1 && !heap->condemned)
        slab = build_slab(heap, class_index, 1, caller);
    if (slab == NULL)
        return false;
    /* The class had no free slot: all of these are live blocks. */
    if (blocks_are_mass(heap, class, class->slot_count + class->core_count))
        class->is_mass = true;
    class->slot_count += slab->slot_count;
    if (fast_slab_is_padded(slab)) {
        if (size_bytes % 16 == 0 && class->exact_run < EXACT_RUN)
            class->exact_run++;
        else if (class->exact_run < EXACT_RUN)
            class->exact_run = 0;
        choose_class(fast, class_index);
    }
    return make_current(class, slab);
}

/* The pages of a closed slab tell, as a freed block does, what they were: `own` is set, and the
 * units are these. */
static size_t slab_note(size_t class_index, unsigned page_count)
{
    return class_index * (FAST_SLAB_PAGES + 1) + page_count;
}

static void leave_slab_note(uint64_t secret, uint8_t *pages, const struct fast_slab *slab)
{
    uint64_t note = sealed_header(slab_note(slab->class_index, slab->page_count), SEALED_OWN);
    sealed_leave_note(pages, sealed_word(secret, pages - SEALED_HEADER_BYTES, note));
}

/* It is on no list. */
static void close_slab(struct heap *heap, struct fast_slab *slab, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_class *class = &fast->classes[slab->class_index];
    uint8_t *pages = slab->slots - first_bytes(slab->class_index);
    class->slot_count -= slab->slot_count;
    if (fast_slab_is_padded(slab) && !blocks_are_mass(heap, class, class->slot_count)) {
        class->is_mass = false;
        class->exact_run = 0;
        choose_class(fast, slab->class_index);
    }
    map_pages(fast, pages, slab->page_count, &fast_no_slab);
    leave_slab_note(fast->core.secret, pages, slab);
    release_own(heap, pages, caller);
    release_own(heap, slab, caller);
}

void fast_slab_settle(struct heap *heap, struct fast_slab *slab, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_class *class = &fast->classes[slab->class_index];
    if (class->slab == slab)
        return;
    if (slab->is_full) {
        slab->is_full = false;
        slab->used_count = slab->slot_count - 1;
        list_push(class, slab);
        return;
    }
    list_remove(class, slab);
    if (fast->spare_pages + slab->page_count <= SPARE_PAGES_MAX) {
        slab->next = class->spare;
        class->spare = slab;
        fast->spare_pages += slab->page_count;
        return;
    }
    close_slab(heap, slab, caller);
    heap_give_back_tail(heap);
}

void fast_slabs_flush(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    for (size_t i = 0; i < FAST_CLASS_COUNT && !heap->condemned; i++) {
        struct fast_class *class = &fast->classes[i];
        struct fast_slab *current = class->slab;
        while (class->spare != NULL && !heap->condemned)
            close_slab(heap, take_spare(fast, class), caller);
        if (current != NULL && !heap->condemned && fast_slab_is_empty(current)) {
            forget_current(class);
            close_slab(heap, current, caller);
        }
    }
    if (!heap->condemned)
        drop_unused_map(heap, caller);
}

/* --- What was a slot -------------------------------------------------------------------------- */

/* True if the free memory at `pages` was a slab that reached to the page of number `reach`. */
static bool recall_slab(const struct fast_state *fast, uint8_t *pages, unsigned reach,
                        struct fast_slab *ret_slab)
{
    uint64_t note;
    if (!sealed_read_note(fast->core.secret, pages, &note) || (note & SEALED_OWN) == 0)
        return false;
    size_t class_index = sealed_units(note) / (FAST_SLAB_PAGES + 1);
    unsigned page_count = sealed_units(note) % (FAST_SLAB_PAGES + 1);
    if (class_index >= FAST_CLASS_COUNT || page_count <= reach)
        return false;
    const struct fast_class *class = &fast->classes[class_index];
    *ret_slab = (struct fast_slab){
        .slots = pages + first_bytes(class_index),
        .reciprocal = class->reciprocal,
        .stride_bytes = (uint16_t) class->stride_bytes,
        .slot_count = slots_in(class, class_index, page_count),
        .class_index = (uint8_t)class_index,
    };
    return true;
}

bool fast_slot_recall(const struct fast_state *fast, const uint8_t *address, size_t *ret_size_bytes)
{
    unsigned index;
    struct fast_slab slab;
    uint8_t *page = (uint8_t *)((uintptr_t)address & ~(uintptr_t)(FAST_PAGE_BYTES - 1));
    for (unsigned reach = 0; reach < FAST_SLAB_PAGES; reach++, page -= FAST_PAGE_BYTES) {
        if (page < fast_first(&fast->core))
            return false;
        if (!recall_slab(fast, page, reach, &slab))
            continue;
        if (!fast_slot_index(&slab, address, &index) ||
            slab.stride_bytes > fast->core.end - address)
            return false;
        *ret_size_bytes = fast_slot_size(&slab, address);
        return !fast_slab_is_padded(&slab) ||
               fast_slot_read_mark(address + slab.stride_bytes) <= 15;
    }
    return false;
}
