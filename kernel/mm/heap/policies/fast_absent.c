#include "kernel/mm/heap/policies/fast_absent.h"

#include "kernel/mm/heap/heap_discard.h"
#include "kernel/mm/heap/policies/fast_core.h"

/* Fewer bytes without pages are not worth a call of the page source. */
#define LEAST_BYTES ((size_t)16 * 1024)

/* At least this much is restored at a time, so a series of small requests does not call the page
 * source for each. */
#define RESTORE_STEP_BYTES ((size_t)64 * 1024)

/* A look gives back at most this many blocks, so its time is bounded but for the pages. */
#define BLOCKS_IN_A_LOOK 64

/* A list holds sizes that differ by up to two. A request looks at this many blocks of its list. */
#define LOOKS 8

/* --- Geometry --------------------------------------------------------------------------------- */

static uint8_t *page_below(const uint8_t *address)
{
    return (uint8_t *)((uintptr_t)address & ~(uintptr_t)(FAST_PAGE_BYTES - 1));
}

static uint8_t *page_above(const uint8_t *address)
{
    return page_below(address + FAST_PAGE_BYTES - 1);
}

/* The links are before the first absent page, the footer and the next header behind the last. */
static uint8_t *first_page(const uint8_t *block)
{
    return page_above(block + SEALED_UNIT_BYTES);
}

static uint8_t *end_page(const uint8_t *next)
{
    return page_below(next - SEALED_UNIT_BYTES);
}

static size_t units_between(const uint8_t *start, const uint8_t *end)
{
    return (size_t)(end - start) / SEALED_UNIT_BYTES;
}

/* Return the absent block that ends at `block`, or NULL. Then its footer is in the first page
 * behind the absent ones. */
static uint8_t *absent_before(const struct fast_state *fast, const uint8_t *block)
{
    uint64_t footer;
    const uint8_t *end = end_page(block);
    if (block - end > (ptrdiff_t)(2 * SEALED_UNIT_BYTES) || !fast_absent_is_at(fast, end - 1) ||
        !sealed_read_word(fast->core.secret, sealed_footer_before(block), &footer))
        return NULL;
    return (uint8_t *)(uintptr_t)block - sealed_units(footer) * SEALED_UNIT_BYTES;
}

/* --- Lists ------------------------------------------------------------------------------------ */

static unsigned list_of(const uint8_t *block, size_t units)
{
    size_t page_count =
        (size_t)(end_page(sealed_next(block, units)) - first_page(block)) / FAST_PAGE_BYTES;
    return 63u - (unsigned)__builtin_clzll(page_count);
}

/* Write header and footer of an absent block, and put it on its list. */
static void insert(struct fast_state *fast, uint8_t *block, size_t units, uint64_t previous_free)
{
    uint64_t header = sealed_header(units, SEALED_OWN) | previous_free |
                      (uint64_t)FAST_OWN_ABSENT << SEALED_ALIGNMENT_SHIFT;
    sealed_write_header(fast->core.secret, block, header);
    sealed_write_word(fast->core.secret, fast_footer_of(block, units), sealed_header(units, 0));
    unsigned list = list_of(block, units);
    uint32_t head = fast->absent.lists[list];
    if (head != 0)
        fast_links_of(fast_block_at(&fast->core, head))->previous =
            fast_place_of(&fast->core, block);
    *fast_links_of(block) = (struct fast_links){.next = head, .previous = 0};
    fast->absent.lists[list] = fast_place_of(&fast->core, block);
    fast->absent.list_bits |= UINT32_C(1) << list;
    fast->absent.units += units;
}

/* Read the header of an absent block. False: it is not one, and the fault is recorded. */
static bool read_absent(struct heap *heap, const uint8_t *block, uint64_t *ret_header)
{
    const struct fast_core *core = &fast_of(heap)->core;
    if (block > core->base && block < core->end &&
        sealed_read_header(core->secret, block, ret_header) && fast_absent_is(*ret_header) &&
        sealed_extent_is_inside(block, *ret_header, core->end))
        return true;
    return sealed_record_corrupt(heap, block);
}

/* Take the block off its list. *ret_header is its header. False: the heap is corrupt. */
static bool take_off(struct heap *heap, uint8_t *block, uint64_t *ret_header)
{
    struct fast_state *fast = fast_of(heap);
    const struct fast_core *core = &fast->core;
    struct fast_links links = *fast_links_of(block);
    if (!read_absent(heap, block, ret_header))
        return false;
    if (!fast_place_is_possible(core, links.next) || !fast_place_is_possible(core, links.previous))
        return sealed_record_corrupt(heap, block);
    unsigned list = list_of(block, sealed_units(*ret_header));
    uint32_t place = fast_place_of(core, block);
    uint32_t *forward = links.previous == 0
                            ? &fast->absent.lists[list]
                            : &fast_links_of(fast_block_at(core, links.previous))->next;
    uint32_t *backward =
        links.next == 0 ? &place : &fast_links_of(fast_block_at(core, links.next))->previous;
    if (*forward != place || *backward != place)
        return sealed_record_corrupt(heap, block);
    *backward = links.previous;
    *forward = links.next;
    if (fast->absent.lists[list] == 0)
        fast->absent.list_bits &= ~(UINT32_C(1) << list);
    fast->absent.units -= sealed_units(*ret_header);
    return true;
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Let the map's places of these pages lead to no slab. */
static void set_present(struct heap *heap, uint8_t *start, uint8_t *end)
{
    if (start == end)
        return;
    fast_map_set_present(heap, start, end);
    fast_map_drop_unused_leaves(heap, start, (unsigned)((size_t)(end - start) / FAST_PAGE_BYTES));
}

/* What becomes of a free block: [block, next) is absent, and its pages [start, end) are given back
 * now. It may include the absent blocks before and behind, whose pages are given back already. */
struct plan {
    uint8_t *block;
    uint8_t *next;
    uint8_t *start;
    uint8_t *end;
    uint8_t *before; /* an absent block that is included, or NULL */
    uint8_t *behind;
};

/* Let the plan keep the pages before `start`. */
static void keep_before(uint8_t *free, uint8_t *start, struct plan *plan)
{
    plan->before = NULL;
    plan->start = start;
    plan->block = start - SEALED_UNIT_BYTES;
    if (plan->block == free + SEALED_UNIT_BYTES)
        plan->block = free;
}

/* Plan for the free block [free, free_end), and at most `most_bytes` of its pages: the last ones.
 */
static void make_plan(const struct fast_state *fast, uint8_t *free, uint8_t *free_end,
                      size_t most_bytes, struct plan *ret_plan)
{
    uint64_t header;
    struct plan plan = {.next = free_end, .end = end_page(free_end)};
    if (sealed_read_header(fast->core.secret, free_end, &header) && fast_absent_is(header)) {
        plan.behind = free_end;
        plan.end = first_page(free_end);
        plan.next = sealed_next(free_end, sealed_units(header));
    } else if (free_end - plan.end != 2 * (ptrdiff_t)SEALED_UNIT_BYTES) {
        plan.next = plan.end + SEALED_UNIT_BYTES;
    }
    plan.before = absent_before(fast, free);
    plan.start = plan.before != NULL ? end_page(free) : first_page(free);
    uint8_t *start = plan.start;
    if (plan.end > start && (size_t)(plan.end - start) > most_bytes)
        start = plan.end - most_bytes;
    plan.block = plan.before;
    if (start != plan.start || plan.before == NULL)
        keep_before(free, start, &plan);
    *ret_plan = plan;
}

/* Free the parts of [free, free_end) that are not in the absent block. */
static bool release_rests(struct heap *heap, const struct plan *plan, uint8_t *free,
                          uint8_t *free_end, uint64_t previous_free)
{
    uint64_t header = sealed_header(units_between(free, plan->block), previous_free);
    if (free < plan->block && !fast_core_release(heap, free, header))
        return false;
    return plan->next >= free_end ||
           fast_core_release(heap, plan->next,
                             sealed_header(units_between(plan->next, free_end), 0));
}

/* The free block is detached from the core. */
static bool carry_out(struct heap *heap, const struct plan *plan, uint8_t *free, uint8_t *free_end)
{
    struct fast_state *fast = fast_of(heap);
    uint64_t before = 0;
    uint64_t behind;
    uint64_t header;
    if (!sealed_read_header(fast->core.secret, free, &header))
        return sealed_record_corrupt(heap, free);
    if ((plan->behind != NULL && !take_off(heap, plan->behind, &behind)) ||
        (plan->before != NULL && !take_off(heap, plan->before, &before)))
        return false;
    uint64_t previous_free = header & SEALED_PREVIOUS_FREE; /* a leaf before it may have gone */
    insert(fast, plan->block, units_between(plan->block, plan->next),
           plan->block == free ? previous_free : before & SEALED_PREVIOUS_FREE);
    if (!release_rests(heap, plan, free, free_end, previous_free))
        return false;
    heap_discard_pages(heap, plan->start, (size_t)(plan->end - plan->start));
    return true;
}

/* Let at most `most_bytes` of the free block's pages become absent. Return the number of units; 0
 * if it is not worth it, or there is no memory for the map, or the heap is corrupt. */
static size_t discard_block(struct heap *heap, uint8_t *free, size_t units, size_t most_bytes)
{
    struct fast_state *fast = fast_of(heap);
    struct plan plan;
    uint8_t *free_end = sealed_next(free, units);
    make_plan(fast, free, free_end, most_bytes, &plan);
    if (plan.end < plan.start + LEAST_BYTES || !fast_core_detach(heap, free, units))
        return 0;
    /* It is no free block while the map takes memory. */
    sealed_write_header(fast->core.secret, free, sealed_header(units, SEALED_OWN));
    uint8_t *reached = fast_map_set_absent(heap, plan.start, plan.end);
    if (reached != plan.start)
        keep_before(free, reached, &plan);
    if (plan.end >= plan.start + LEAST_BYTES)
        return carry_out(heap, &plan, free, free_end) ? units_between(plan.start, plan.end) : 0;
    set_present(heap, plan.start, plan.end);
    fast_own_release(heap, free);
    return 0;
}

/* Return the first block of the lowest bin from `*bin` on that is not empty, or NULL. */
static uint8_t *next_free(struct heap *heap, unsigned *bin, size_t *ret_units)
{
    uint64_t header;
    const struct fast_core *core = &fast_of(heap)->core;
    *bin = fast_bin_not_empty(core, *bin);
    if (*bin == FAST_BIN_COUNT)
        return NULL;
    uint8_t *block = fast_block_at(core, core->bins[*bin]);
    if (!sealed_read_header(core->secret, block, &header)) {
        (void)sealed_record_corrupt(heap, block);
        return NULL;
    }
    *ret_units = sealed_units(header);
    return block;
}

/* Let up to `most_bytes` and `most_blocks` become absent. The smallest blocks go first: requests
 * that find no room there leave them unused. */
static void discard(struct heap *heap, size_t most_bytes, size_t most_blocks)
{
    size_t units;
    unsigned bin = fast_bin_of(LEAST_BYTES / SEALED_UNIT_BYTES);
    most_bytes -= most_bytes % FAST_PAGE_BYTES;
    while (most_bytes >= LEAST_BYTES && most_blocks != 0 && !heap->is_corrupt) {
        uint8_t *block = next_free(heap, &bin, &units);
        if (block == NULL)
            return;
        size_t bytes = discard_block(heap, block, units, most_bytes) * SEALED_UNIT_BYTES;
        most_bytes -= smaller(bytes, most_bytes);
        if (bytes == 0)
            bin++;
        else
            most_blocks--;
    }
}

void fast_absent_discard_surplus(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    if (!heap_discard_is_due(heap, fast->absent.freed_units * SEALED_UNIT_BYTES))
        return;
    discard(heap, fast->absent.spare_units * SEALED_UNIT_BYTES, BLOCKS_IN_A_LOOK);
    fast->absent.freed_units = 0;
    fast->absent.spare_units = fast->core.bin_units;
}

void fast_absent_discard_all(struct heap *heap)
{
    discard(heap, SIZE_MAX, SIZE_MAX);
}

/* --- Taking again ----------------------------------------------------------------------------- */

/* Return an absent block of at least `units`, or NULL. */
static uint8_t *find_absent(struct heap *heap, size_t units)
{
    const struct fast_state *fast = fast_of(heap);
    size_t page_count = units * SEALED_UNIT_BYTES / FAST_PAGE_BYTES;
    unsigned list = page_count == 0 ? 0 : 63u - (unsigned)__builtin_clzll(page_count);
    for (; list < FAST_ABSENT_LISTS; list++) {
        uint32_t place = fast->absent.lists[list];
        for (unsigned looks = LOOKS; looks != 0 && place != 0; looks--) {
            uint64_t header = 0;
            uint8_t *block = fast_block_at(&fast->core, place);
            if (!fast_place_is_possible(&fast->core, place) || !read_absent(heap, block, &header)) {
                (void)sealed_record_corrupt(heap, block);
                return NULL;
            }
            if (sealed_units(header) >= units)
                return block;
            place = fast_links_of(block)->next;
        }
    }
    return NULL;
}

/* Return how many bytes of the block's pages to restore for `needed_bytes`. These are all if too
 * few would stay absent. If there is no memory to divide a leaf, they reach up to the leaf's
 * end. */
static size_t pages_for(struct heap *heap, const uint8_t *block, size_t needed_bytes,
                        size_t absent_bytes)
{
    uint8_t *end = first_page(block) + needed_bytes + -needed_bytes % FAST_PAGE_BYTES;
    uint8_t *absent_end = first_page(block) + absent_bytes;
    if (end + LEAST_BYTES <= absent_end && !fast_map_reach(heap, end - FAST_PAGE_BYTES, false))
        end = fast_map_leaf_end(heap, end - FAST_PAGE_BYTES);
    return end + LEAST_BYTES <= absent_end ? (size_t)(end - first_page(block)) : absent_bytes;
}

/* Make the first `bytes` of the block's pages usable. */
static bool restore_pages(struct heap *heap, const uint8_t *block, size_t absent_bytes,
                          size_t needed_bytes, size_t *ret_bytes)
{
    *ret_bytes = pages_for(heap, block, larger(needed_bytes, RESTORE_STEP_BYTES), absent_bytes);
    if (heap_discard_restore(heap, first_page(block), *ret_bytes))
        return true;
    size_t least_bytes = pages_for(heap, block, needed_bytes, absent_bytes);
    if (least_bytes == *ret_bytes)
        return false;
    *ret_bytes = least_bytes;
    return heap_discard_restore(heap, first_page(block), least_bytes);
}

/* The first `bytes` of the absent pages are usable: free their memory. The block is on no list. */
static void make_present(struct heap *heap, uint8_t *block, uint64_t header, size_t bytes)
{
    struct fast_state *fast = fast_of(heap);
    uint8_t *next = sealed_next(block, sealed_units(header));
    uint8_t *start = first_page(block);
    uint8_t *end = start + bytes;
    if (end != end_page(next)) {
        uint8_t *rest = end - SEALED_UNIT_BYTES;
        insert(fast, rest, units_between(rest, next), 0);
        next = rest;
    }
    header = sealed_header(units_between(block, next), 0) | (header & SEALED_PREVIOUS_FREE);
    if (fast_core_release(heap, block, header))
        set_present(heap, start, end);
}

/* Return the size of a free block in which the core finds room for the request. */
static size_t units_for(const struct heap_request *request)
{
    size_t units = fast_units_for(request->size_bytes);
    if (request->alignment_bytes <= SEALED_UNIT_BYTES)
        return units;
    units += request->alignment_bytes / SEALED_UNIT_BYTES + 1;
    return fast_bin_least(fast_bin_above(units));
}

bool fast_absent_restore(struct heap *heap, const struct heap_request *request)
{
    uint64_t header = 0;
    size_t bytes;
    size_t units = units_for(request);
    if (fast_of(heap)->absent.units < units || heap->is_corrupt)
        return false;
    uint8_t *block = find_absent(heap, units);
    if (block == NULL || !read_absent(heap, block, &header))
        return false;
    size_t absent_bytes =
        (size_t)(end_page(sealed_next(block, sealed_units(header))) - first_page(block));
    if (!restore_pages(heap, block, absent_bytes, units * SEALED_UNIT_BYTES, &bytes) ||
        !take_off(heap, block, &header))
        return false;
    make_present(heap, block, header, bytes);
    return !heap->is_corrupt;
}

/* --- The end ---------------------------------------------------------------------------------- */

size_t fast_absent_tail(const struct heap *heap)
{
    const struct fast_state *fast = fast_of(heap);
    const uint8_t *block = fast->absent.units == 0 ? NULL : absent_before(fast, fast->core.top);
    return block == NULL ? 0 : (size_t)(fast->core.top - first_page(block));
}

void fast_absent_cut_tail(struct heap *heap)
{
    uint64_t header = 0;
    struct fast_state *fast = fast_of(heap);
    uint8_t *block = absent_before(fast, fast->core.top);
    if (block == NULL || !take_off(heap, block, &header))
        return;
    uint8_t *start = first_page(block);
    uint8_t *end = end_page(fast->core.top);
    fast->core.top = start;
    fast_core_move_end(&fast->core, start);
    header = sealed_header(units_between(block, start), 0) | (header & SEALED_PREVIOUS_FREE);
    if (fast_core_release(heap, block, header))
        set_present(heap, start, end);
}

size_t fast_absent_first_offset(const struct heap *heap)
{
    uint64_t header;
    const struct fast_core *core = &fast_of(heap)->core;
    const uint8_t *block = fast_first(core);
    if (fast_of(heap)->absent.units == 0 || heap->is_corrupt)
        return 0;
    while (block < core->end && sealed_read_header(core->secret, block, &header) &&
           sealed_extent_is_inside(block, header, core->end)) {
        if (fast_absent_is(header))
            return (size_t)(first_page(block) - core->base);
        block = sealed_next(block, sealed_units(header));
    }
    return 0;
}

/* --- Views ------------------------------------------------------------------------------------ */

const uint8_t *fast_absent_find(const struct fast_state *fast, const void *address,
                                size_t *ret_bytes)
{
    uint64_t header;
    const struct fast_core *core = &fast->core;
    const uint8_t *block = fast_first(core);
    while (block < core->end && sealed_read_header(core->secret, block, &header) &&
           sealed_extent_is_inside(block, header, core->end)) {
        const uint8_t *next = sealed_next(block, sealed_units(header));
        *ret_bytes = sealed_capacity_bytes(sealed_units(header));
        if (next - SEALED_HEADER_BYTES > (const uint8_t *)address)
            return fast_absent_is(header) && block <= (const uint8_t *)address ? block : NULL;
        block = next;
    }
    return NULL;
}

size_t fast_absent_present_bytes(const struct heap *heap, const uint8_t *address, size_t bytes)
{
    const struct fast_state *fast = fast_of(heap);
    for (const uint8_t *page = page_below(address); page < address + bytes;
         page += FAST_PAGE_BYTES) {
        if (fast_absent_is_at(fast, page))
            return page > address ? (size_t)(page - address) : 0;
    }
    return bytes;
}

size_t fast_absent_largest_units(const struct fast_state *fast)
{
    uint64_t header;
    size_t most_units = 0;
    if (fast->absent.list_bits == 0)
        return 0;
    unsigned list = 31u - (unsigned)__builtin_clz(fast->absent.list_bits);
    uint32_t place = fast->absent.lists[list];
    for (unsigned looks = LOOKS; looks != 0 && place != 0; looks--) {
        const uint8_t *block = fast_block_at(&fast->core, place);
        if (!fast_place_is_possible(&fast->core, place) ||
            !sealed_read_header(fast->core.secret, block, &header))
            break;
        most_units = larger(most_units, sealed_units(header));
        place = fast_links_of(block)->next;
    }
    return most_units;
}

const char *fast_absent_check_block(const struct fast_state *fast, const uint8_t *block,
                                    uint64_t header, size_t *page_count)
{
    const uint8_t *next = sealed_next(block, sealed_units(header));
    const uint8_t *end = end_page(next);
    if (end < first_page(block) + LEAST_BYTES || next - end > 2 * (ptrdiff_t)SEALED_UNIT_BYTES)
        return "an absent block has too few pages";
    uint64_t footer;
    if (!sealed_read_word(fast->core.secret, sealed_footer_before(next), &footer) ||
        sealed_units(footer) != sealed_units(header))
        return "the footer of an absent block was overwritten";
    for (const uint8_t *page = first_page(block); page < end; page += FAST_PAGE_BYTES) {
        if (!fast_absent_is_at(fast, page))
            return "an absent page is not on the map";
        ++*page_count;
    }
    return NULL;
}

/* `*block_count` goes down by the length of the list. */
static const char *check_list(const struct fast_state *fast, unsigned list, size_t *block_count)
{
    uint32_t previous = 0;
    for (uint32_t place = fast->absent.lists[list]; place != 0;) {
        uint64_t header;
        if (!fast_place_is_possible(&fast->core, place) || *block_count == 0)
            return "a list of absent blocks is wrong";
        const uint8_t *block = fast_block_at(&fast->core, place);
        if (!sealed_read_header(fast->core.secret, block, &header) || !fast_absent_is(header) ||
            list_of(block, sealed_units(header)) != list ||
            fast_links_of(block)->previous != previous)
            return "a list of absent blocks holds a wrong block";
        previous = place;
        place = fast_links_of(block)->next;
        --*block_count;
    }
    return NULL;
}

const char *fast_absent_check_lists(const struct fast_state *fast, size_t block_count, size_t units)
{
    const char *problem = fast->absent.units == units ? NULL : "the absent memory is miscounted";
    for (unsigned list = 0; list < FAST_ABSENT_LISTS && problem == NULL; list++) {
        bool is_marked = (fast->absent.list_bits >> list & 1) != 0;
        if (is_marked != (fast->absent.lists[list] != 0))
            return "the mark of a list of absent blocks is wrong";
        problem = check_list(fast, list, &block_count);
    }
    if (problem == NULL && block_count != 0)
        problem = "an absent block is on no list";
    return problem;
}
