#include "kernel/mm/heap/policies/fast_slab.h"

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

/* So many places of the map are written at a time: those of 32 MiB. */
#define MAP_STEP 64

/* The header of the block behind the pages lies in their last 8 bytes. */
#define PAGES_LOSS_BYTES SEALED_HEADER_BYTES

_Static_assert(sizeof(struct fast_class) == 64, "a line of the cache, found by a shift");
_Static_assert(FAST_SLAB_PAGES *FAST_PAGE_BYTES / 16 <= UINT16_MAX, "slots are counted in 16 bits");

struct fast_slab fast_no_slab = {.class_index = FAST_CLASS_COUNT};

/* Where there are no slabs. Never written. */
#define NO_SLAB_4  &fast_no_slab, &fast_no_slab, &fast_no_slab, &fast_no_slab
#define NO_SLAB_16 NO_SLAB_4, NO_SLAB_4, NO_SLAB_4, NO_SLAB_4
static struct fast_leaf no_leaf = {.slabs = {NO_SLAB_16, NO_SLAB_16, NO_SLAB_16, NO_SLAB_16}};
_Static_assert(FAST_LEAF_PAGES == 4 * 16, "no_leaf has a slab for each page");

/* The word of a class that has no slab. Never written, since it has no free slot. */
static uint64_t no_free_slot = 0;

/* --- Memory of the policy's own --------------------------------------------------------------- */

/* NULL if there is none, or something was found corrupt. */
static void *take_own(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                      bool may_grow)
{
    size_t units = fast_units_for(request->size_bytes);
    size_t alignment_bytes = request->alignment_bytes;
    uint64_t header;
    uint8_t *block = fast_core_take(heap, units, alignment_bytes, &header);
    if (block == NULL && may_grow && !heap->is_corrupt && heap_grow_for(heap, request))
        block = fast_core_take(heap, units, alignment_bytes, &header);
    if (block == NULL)
        return NULL;
    header = sealed_header(sealed_units(header), SEALED_OWN) | (header & SEALED_PREVIOUS_FREE) |
             (uint64_t)kind << SEALED_ALIGNMENT_SHIFT;
    sealed_write_header(heap->fast.core.secret, block, header);
    return block;
}

static void release_own(struct heap *heap, void *block)
{
    uint64_t header;
    if (heap->is_corrupt)
        return;
    heap_note_dirty(heap);
    if (!sealed_read_header(heap->fast.core.secret, block, &header))
        (void)sealed_record_corrupt(heap, block);
    else
        (void)fast_core_release(heap, block, header);
}

/* --- The map ---------------------------------------------------------------------------------- */

/* The number of the leaf for an address, counted from the heap's base. */
static size_t leaf_number(const struct heap *heap, const uint8_t *address)
{
    uintptr_t floor = (uintptr_t)heap->configuration.base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    return ((uintptr_t)address - floor) / FAST_LEAF_BYTES;
}

static size_t place_count(const struct heap *heap)
{
    return heap->configuration.limit_bytes / FAST_LEAF_BYTES + 2;
}

/* The map's places from `first` to `end` lead nowhere. They adjoin those that were written, if any
 * were. */
static void write_places(struct heap *heap, size_t first, size_t end)
{
    struct fast_state *fast = &heap->fast;
    for (size_t i = first; i < end; i++)
        fast->map_block[i] = &no_leaf;
    if (fast->map_length == 0 || &fast->map_block[first] < fast->map) {
        uintptr_t floor = (uintptr_t)heap->configuration.base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
        fast->map = &fast->map_block[first];
        fast->map_floor = floor + first * FAST_LEAF_BYTES;
    }
    fast->map_length += end - first;
}

static bool make_map(struct heap *heap, bool may_grow)
{
    struct fast_state *fast = &heap->fast;
    const struct heap_request request = {.size_bytes =
                                             place_count(heap) * sizeof(struct fast_leaf *),
                                         .alignment_bytes = SEALED_UNIT_BYTES};
    fast->map_block = take_own(heap, FAST_OWN_MAP, &request, may_grow);
    return fast->map_block != NULL;
}

/* Write the map's places towards that leaf's, but no more than a step, so that the time is bounded.
 * False if they do not reach it: that many slabs are not opened until they do. */
static bool reach_place(struct heap *heap, size_t leaf)
{
    const struct fast_state *fast = &heap->fast;
    size_t first = fast->map_length == 0 ? leaf : (size_t)(fast->map - fast->map_block);
    size_t end = first + fast->map_length;
    if (leaf < first) {
        size_t new_first = first < MAP_STEP ? 0 : first - MAP_STEP;
        write_places(heap, new_first, first);
        return leaf >= new_first;
    }
    if (leaf < end)
        return true;
    size_t new_end = smaller(end + MAP_STEP, place_count(heap));
    write_places(heap, end, new_end);
    return leaf < new_end;
}

static size_t page_number(const struct fast_state *fast, const uint8_t *page)
{
    return ((uintptr_t)page - fast->map_floor) / FAST_PAGE_BYTES;
}

static struct fast_leaf **place_of(const struct fast_state *fast, const uint8_t *page)
{
    return &fast->map[page_number(fast, page) / FAST_LEAF_PAGES];
}

/* Make sure that the page's place in the map can be written. */
static bool make_leaf(struct heap *heap, const uint8_t *page, bool may_grow)
{
    struct fast_state *fast = &heap->fast;
    if (!reach_place(heap, leaf_number(heap, page)))
        return false;
    if (*place_of(fast, page) != &no_leaf)
        return true;
    const struct heap_request request = {.size_bytes = sizeof(struct fast_leaf),
                                         .alignment_bytes = SEALED_UNIT_BYTES};
    struct fast_leaf *leaf = take_own(heap, FAST_OWN_LEAF, &request, may_grow);
    if (leaf == NULL)
        return false;
    *leaf = no_leaf;
    *place_of(fast, page) = leaf;
    fast->leaf_count++;
    return true;
}

static void map_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                      struct fast_slab *slab)
{
    size_t first = page_number(fast, pages);
    for (size_t page = first; page < first + page_count; page++) {
        struct fast_leaf *leaf = fast->map[page / FAST_LEAF_PAGES];
        leaf->slabs[page % FAST_LEAF_PAGES] = slab;
        leaf->used_count += slab == &fast_no_slab ? SIZE_MAX : 1;
    }
}

/* Give back the map if it has no leaf. */
static void drop_unused_map(struct heap *heap)
{
    struct fast_state *fast = &heap->fast;
    void *block = fast->map_block;
    if (block == NULL || fast->leaf_count != 0)
        return;
    fast->map_length = 0;
    fast->map_block = NULL;
    release_own(heap, block);
}

/* Give back the page's leaf if no page on it is a slab's. */
static void drop_unused_leaf(struct heap *heap, const uint8_t *page)
{
    struct fast_state *fast = &heap->fast;
    if (page_number(fast, page) / FAST_LEAF_PAGES >= fast->map_length)
        return;
    struct fast_leaf **place = place_of(fast, page);
    struct fast_leaf *leaf = *place;
    if (leaf == &no_leaf || leaf->used_count != 0)
        return;
    *place = &no_leaf;
    fast->leaf_count--;
    release_own(heap, leaf);
}

/* The same for all pages that a slab had, or was to have. */
static void drop_unused_leaves(struct heap *heap, const uint8_t *pages, unsigned page_count)
{
    drop_unused_leaf(heap, pages);
    drop_unused_leaf(heap, pages + (page_count - 1) * FAST_PAGE_BYTES);
    drop_unused_map(heap);
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

/* --- The ends of slots ------------------------------------------------------------------------ */

static uint64_t *end_word(struct fast_slab *slab, unsigned index)
{
    return &slab->free[word_count_for(slab->slot_count) + index / 64];
}

/* True if the slot has canaries behind what was asked for. */
static bool has_end(const struct fast_slab *slab, unsigned index)
{
    return fast_slab_is_padded(slab) ||
           (slab->free[word_count_for(slab->slot_count) + index / 64] >> index % 64 & 1) != 0;
}

/* Where a short slot says its size. */
static uint8_t *short_size_at(const uint8_t *slot, size_t stride_bytes)
{
    return (uint8_t *)(uintptr_t)(slot + stride_bytes - 15);
}

/* The size of a slot that has an end, from the end's mark; false if that was overwritten. */
static bool read_marked_size(const uint8_t *slot, size_t stride_bytes, size_t *ret_size_bytes)
{
    unsigned low_bits = fast_slot_read_mark(slot + stride_bytes);
    size_t marked_bytes = stride_bytes - 16 + low_bits;
    *ret_size_bytes = marked_bytes;
    if (low_bits != 0 || slot[marked_bytes] != FAST_SHORT)
        return low_bits <= 15;
    const uint8_t *said = short_size_at(slot, stride_bytes);
    *ret_size_bytes = (size_t)said[0] | (size_t)said[1] << 8;
    return (said[0] ^ said[2]) == 0xff && (said[1] ^ said[3]) == 0xff &&
           *ret_size_bytes < marked_bytes;
}

bool fast_slot_read(const struct fast_slab *slab, unsigned index, size_t *ret_size_bytes)
{
    const uint8_t *slot = fast_slot_at(slab, index);
    if (!has_end(slab, index)) {
        *ret_size_bytes = slab->stride_bytes;
        return true;
    }
    if (fast_slab_is_padded(slab) && fast_slot_read_mark(slot) > 15)
        return false;
    return read_marked_size(slot, slab->stride_bytes, ret_size_bytes) &&
           slot[*ret_size_bytes] == SEALED_CANARY;
}

size_t fast_slot_size(const struct fast_slab *slab, unsigned index)
{
    size_t size_bytes;
    if (!has_end(slab, index))
        return slab->stride_bytes;
    return read_marked_size(fast_slot_at(slab, index), slab->stride_bytes, &size_bytes) ? size_bytes
                                                                                        : 0;
}

static uint32_t reciprocal_of(size_t stride_bytes)
{
    return (uint32_t)(UINT32_MAX / stride_bytes + 1);
}

bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index)
{
    uint32_t reciprocal =
        slab->reciprocal != 0 ? slab->reciprocal : reciprocal_of(slab->stride_bytes);
    return fast_slot_index_by(slab, reciprocal, address, ret_index);
}

void fast_slot_set_size(struct fast_slab *slab, unsigned index, size_t size_bytes)
{
    size_t stride_bytes = slab->stride_bytes;
    uint8_t *slot = fast_slot_at(slab, index);
    fast_slot_forget_end(slab, index);
    if (size_bytes == stride_bytes)
        return;
    if (!fast_slab_is_padded(slab)) {
        *end_word(slab, index) |= UINT64_C(1) << index % 64;
        slab->reciprocal = 0;
    }
    if (size_bytes >= stride_bytes - 16) {
        fast_slot_mark_end(slot, stride_bytes, size_bytes);
        return;
    }
    uint8_t *said = short_size_at(slot, stride_bytes);
    fast_slot_mark_end(slot, stride_bytes, stride_bytes - 16);
    slot[stride_bytes - 16] = FAST_SHORT;
    said[0] = (uint8_t)size_bytes;
    said[1] = (uint8_t)(size_bytes >> 8);
    said[2] = (uint8_t)~said[0];
    said[3] = (uint8_t)~said[1];
    slot[size_bytes] = SEALED_CANARY;
}

void fast_slot_forget_end(struct fast_slab *slab, unsigned index)
{
    if (fast_slab_is_padded(slab) || !has_end(slab, index))
        return;
    *end_word(slab, index) &= ~(UINT64_C(1) << index % 64);
    for (unsigned first = 0; first < slab->slot_count; first += 64) {
        if (*end_word(slab, first) != 0)
            return;
    }
    slab->reciprocal = reciprocal_of(slab->stride_bytes);
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

void fast_slabs_initialise(struct fast_state *fast)
{
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        struct fast_class *class = &fast->classes[i];
        class->stride_bytes =
            (uint32_t)(16 * (fast_class_is_dense(i) ? i + 1 - FAST_PADDED_CLASSES : i + 1));
        class->reciprocal = reciprocal_of(class->stride_bytes);
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
    unsigned word_count = word_count_for(slot_count);
    for (unsigned w = 0; w < word_count; w++)
        slab->free[w] = all_free(slot_count, w);
    if (fast_slab_is_padded(slab)) {
        slab->slots[-1] = SEALED_CANARY;
        return;
    }
    for (unsigned w = 0; w < word_count; w++)
        slab->free[word_count + w] = 0;
}

/* Of a slab's record. */
static size_t record_bytes(const struct fast_class *class, size_t class_index, unsigned page_count)
{
    size_t word_count = word_count_for(slots_in(class, class_index, page_count));
    return sizeof(struct fast_slab) +
           word_count * sizeof(uint64_t) * (fast_class_is_dense(class_index) ? 2 : 1);
}

/* The record for a slab in these pages, and its places in the map, or NULL. */
static struct fast_slab *take_record(struct heap *heap, size_t class_index, const uint8_t *pages,
                                     unsigned page_count, bool may_grow)
{
    const struct heap_request request = {
        .size_bytes = record_bytes(&heap->fast.classes[class_index], class_index, page_count),
        .alignment_bytes = SEALED_UNIT_BYTES};
    const uint8_t *last_page = pages + (page_count - 1) * FAST_PAGE_BYTES;
    if (!make_leaf(heap, pages, may_grow) || !make_leaf(heap, last_page, may_grow))
        return NULL;
    return take_own(heap, FAST_OWN_SLAB, &request, may_grow);
}

/* All of it, or NULL and nothing. */
static struct fast_slab *build_slab(struct heap *heap, size_t class_index, unsigned page_count,
                                    bool may_grow)
{
    const struct heap_request request = {.size_bytes =
                                             page_count * FAST_PAGE_BYTES - PAGES_LOSS_BYTES,
                                         .alignment_bytes = FAST_PAGE_BYTES};
    if (heap->fast.map_block == NULL && !make_map(heap, may_grow))
        return NULL;
    uint8_t *pages = take_own(heap, FAST_OWN_PAGES, &request, may_grow);
    if (pages == NULL) {
        drop_unused_map(heap);
        return NULL;
    }
    struct fast_slab *slab = take_record(heap, class_index, pages, page_count, may_grow);
    if (slab == NULL) {
        drop_unused_leaves(heap, pages, page_count);
        release_own(heap, pages);
        return NULL;
    }
    fill_in(slab, &heap->fast.classes[class_index], class_index, pages, page_count);
    map_pages(&heap->fast, pages, page_count, slab);
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
                          bool may_grow)
{
    struct fast_state *fast = &heap->fast;
    size_t class_index = (size_t)(class - fast->classes);
    unsigned page_count = choose_page_count(heap, class);
    if (page_count == 0 || heap->configuration.limit_bytes < SLABS_FROM_BYTES)
        return false;
    struct fast_slab *slab = build_slab(heap, class_index, page_count, may_grow);
    if (slab == NULL && page_count > 1 && !heap->is_corrupt)
        slab = build_slab(heap, class_index, 1, may_grow);
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
static void close_slab(struct heap *heap, struct fast_slab *slab)
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
    unsigned page_count = slab->page_count;
    map_pages(fast, pages, page_count, &fast_no_slab);
    leave_slab_note(fast->core.secret, pages, slab);
    release_own(heap, pages);
    release_own(heap, slab);
    drop_unused_leaves(heap, pages, page_count);
}

void fast_slab_settle(struct heap *heap, struct fast_slab *slab)
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
    close_slab(heap, slab);
    heap_give_back_tail(heap);
}

void fast_slabs_flush(struct heap *heap)
{
    struct fast_state *fast = &heap->fast;
    fast->freed_units = 0;
    for (size_t i = 0; i < FAST_CLASS_COUNT && !heap->is_corrupt; i++) {
        struct fast_class *class = &fast->classes[i];
        struct fast_slab *current = class->slab;
        while (class->spare != NULL && !heap->is_corrupt)
            close_slab(heap, take_spare(fast, class));
        if (current != NULL && !heap->is_corrupt && fast_slab_is_empty(current)) {
            forget_current(class);
            close_slab(heap, current);
        }
    }
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
        *ret_size_bytes = slab.stride_bytes;
        return !fast_slab_is_padded(&slab) ||
               read_marked_size(address, slab.stride_bytes, ret_size_bytes);
    }
    return false;
}
