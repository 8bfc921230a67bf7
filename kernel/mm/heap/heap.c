#include "kernel/mm/heap/heap.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/layer.h"
#include "shared/memory.h"
#include "shared/text/text.h"

/* The heap grows by at least this much, so that a run of small blocks does not call the page source
 * for each page; a larger one by this part of itself, up to a limit. */
#define GROW_STEP_BYTES     ((size_t)64 * 1024)
#define GROW_STEP_PART      16
#define GROW_STEP_MAX_BYTES ((size_t)1024 * 1024)

/* When it gives memory back, so much stays free at its end. It is more after it has grown again
 * into what it had given back, so that a program which takes and frees one large block again and
 * again does not map and unmap pages each time; but no larger a part of the limit. It gives nothing
 * back below twice as much. */
#define KEEP_BYTES     GROW_STEP_BYTES
#define KEEP_MAX_BYTES ((size_t)1024 * 1024)
#define KEEP_PART      16

static const struct heap_policy *policy_of(const struct heap *heap)
{
    return heap->configuration.policy;
}

static size_t round_down(size_t value, size_t unit)
{
    return value - value % unit;
}

/* Precondition: value + unit does not wrap. */
static size_t round_up(size_t value, size_t unit)
{
    return round_down(value + unit - 1, unit);
}

const char *heap_status_name(enum heap_status status)
{
    switch (status) {
    case HEAP_OK:
        return "ok";
    case HEAP_UNALIGNED:
        return "unaligned";
    case HEAP_TOO_SMALL:
        return "too small";
    case HEAP_TOO_LARGE:
        return "too large";
    case HEAP_NO_MEMORY:
        return "no memory";
    }
    return "unknown status";
}

/* --- Which memory is zero --------------------------------------------------------------------- */

static uintptr_t end_of(const struct heap *heap)
{
    return (uintptr_t)heap->configuration.base + heap->size_bytes;
}

static size_t fresh_bytes_of(const struct heap_configuration *configuration)
{
    const struct heap_page_source *pages = &configuration->pages;
    return pages->fresh_bytes == NULL ? 0 : pages->fresh_bytes(pages->context);
}

/* The heap's end was at `old_end`. What the policy wrote there is wiped if it lies in the middle of
 * free memory now, so that one boundary is enough. */
static void note_growth(struct heap *heap, uintptr_t old_end, size_t fresh_bytes)
{
    uintptr_t fresh_start = end_of(heap) - smaller(fresh_bytes, heap->size_bytes);
    bool is_all_fresh = fresh_start <= old_end;
    if (is_all_fresh && heap->written_end <= old_end - HEAP_MARGIN_BYTES) {
        uintptr_t tail_start = end_of(heap) - policy_of(heap)->free_tail(heap);
        if (tail_start <= old_end - 2 * HEAP_MARGIN_BYTES) {
            memset((void *)(old_end - HEAP_MARGIN_BYTES), 0, 2 * HEAP_MARGIN_BYTES);
            return;
        }
    }
    uintptr_t unknown_end = larger(fresh_start, old_end + HEAP_MARGIN_BYTES);
    heap->written_end = larger(heap->written_end, unknown_end);
}

/* --- Size of the heap ------------------------------------------------------------------------- */

/* guarded.h: not over a policy that frees the newest block only. */
static bool has_guarded(const struct heap_configuration *configuration)
{
    return configuration->guarded.window_bytes != 0 && !configuration->policy->frees_newest_only;
}

static enum heap_status configuration_judge(const struct heap_configuration *configuration)
{
    const struct heap_policy *policy = configuration->policy;
    bool can_grow = configuration->pages.grow != NULL;
    size_t unit = can_grow ? HEAP_PAGE_SIZE_BYTES : HEAP_ALIGNMENT_BYTES;

    if ((uintptr_t)configuration->base % unit != 0 || configuration->initial_bytes % unit != 0 ||
        configuration->limit_bytes % unit != 0)
        return HEAP_UNALIGNED;
    if (configuration->limit_bytes > policy->maximum_bytes ||
        configuration->limit_bytes > UINTPTR_MAX - (uintptr_t)configuration->base ||
        configuration->initial_bytes > configuration->limit_bytes)
        return HEAP_TOO_LARGE;
    if (configuration->base == NULL || configuration->limit_bytes < policy->minimum_bytes)
        return HEAP_TOO_SMALL;
    if (configuration->initial_bytes < policy->minimum_bytes &&
        (configuration->initial_bytes != 0 || !can_grow))
        return HEAP_TOO_SMALL;
    return has_guarded(configuration) ? guarded_judge(&configuration->guarded) : HEAP_OK;
}

enum heap_status heap_initialise(const struct heap_configuration *configuration,
                                 struct heap *ret_heap)
{
    enum heap_status status = configuration_judge(configuration);
    if (status != HEAP_OK)
        return status;

    size_t size_bytes = configuration->initial_bytes;
    if (size_bytes == 0) {
        size_bytes = smaller(GROW_STEP_BYTES, configuration->limit_bytes);
        if (!configuration->pages.grow(configuration->pages.context, size_bytes))
            return HEAP_NO_MEMORY;
    }
    *ret_heap = (struct heap){.configuration = *configuration,
                              .size_bytes = size_bytes,
                              .tail_keep_bytes = KEEP_BYTES,
                              .written_end = (uintptr_t)configuration->base + HEAP_MARGIN_BYTES};
    configuration->policy->initialise(ret_heap);
    note_growth(ret_heap, (uintptr_t)configuration->base,
                configuration->initial_bytes == 0 ? fresh_bytes_of(configuration) : 0);
    const struct heap_operations *outermost = configuration->policy->operations;
    if (configuration->debug)
        outermost = heap_debug_install(ret_heap, outermost);
    if (has_guarded(configuration))
        outermost = guarded_install(ret_heap, outermost);
    ret_heap->operations = *outermost;
    return HEAP_OK;
}

/* Move the end up. The last `fresh_bytes` of the heap read as zero then. */
static enum heap_status extend(struct heap *heap, size_t additional_bytes, size_t fresh_bytes)
{
    if (additional_bytes % HEAP_ALIGNMENT_BYTES != 0)
        return HEAP_UNALIGNED;
    if (additional_bytes < policy_of(heap)->minimum_extend_bytes)
        return HEAP_TOO_SMALL;
    if (additional_bytes > heap->configuration.limit_bytes - heap->size_bytes)
        return HEAP_TOO_LARGE;
    if (heap->is_corrupt || !policy_of(heap)->extend(heap, additional_bytes))
        return HEAP_NO_MEMORY;
    uintptr_t old_end = end_of(heap);
    heap->size_bytes += additional_bytes;
    note_growth(heap, old_end, fresh_bytes);
    return HEAP_OK;
}

enum heap_status heap_extend(struct heap *heap, size_t additional_bytes)
{
    enum heap_status status = extend(heap, additional_bytes, 0);
    heap_fault_report(heap, NULL);
    return status;
}

static bool grow_by(struct heap *heap, size_t bytes)
{
    const struct heap_page_source *pages = &heap->configuration.pages;
    return pages->grow(pages->context, bytes) &&
           extend(heap, bytes, fresh_bytes_of(&heap->configuration)) == HEAP_OK;
}

/* What is given back and asked for again is kept the next time. */
static void note_growth_again(struct heap *heap, size_t needed_bytes)
{
    if (heap->size_bytes >= heap->largest_bytes)
        return;
    size_t most_bytes = smaller(KEEP_MAX_BYTES, heap->configuration.limit_bytes / KEEP_PART);
    size_t keep_bytes = smaller(larger(2 * heap->tail_keep_bytes, needed_bytes), most_bytes);
    heap->tail_keep_bytes = larger(keep_bytes, heap->tail_keep_bytes);
    heap->has_grown_again = true;
}

static size_t grow_step(const struct heap *heap)
{
    size_t part_bytes = round_down(heap->size_bytes / GROW_STEP_PART, HEAP_PAGE_SIZE_BYTES);
    return smaller(larger(part_bytes, GROW_STEP_BYTES), GROW_STEP_MAX_BYTES);
}

static bool can_grow(const struct heap *heap)
{
    return !heap->is_corrupt && heap->configuration.pages.grow != NULL;
}

bool heap_grow_by(struct heap *heap, size_t least_bytes)
{
    if (!can_grow(heap))
        return false;

    size_t needed_bytes = larger(round_up(least_bytes, HEAP_PAGE_SIZE_BYTES), HEAP_PAGE_SIZE_BYTES);
    size_t room_bytes = heap->configuration.limit_bytes - heap->size_bytes;
    if (needed_bytes > room_bytes)
        return false;
    note_growth_again(heap, needed_bytes);
    size_t step_bytes = smaller(larger(needed_bytes, grow_step(heap)), room_bytes);
    return grow_by(heap, step_bytes) || (step_bytes > needed_bytes && grow_by(heap, needed_bytes));
}

bool heap_grow_for(struct heap *heap, const struct heap_request *request)
{
    if (!can_grow(heap))
        return false;
    size_t needed_bytes =
        request->size_bytes + request->alignment_bytes + policy_of(heap)->block_overhead_bytes;
    return heap_grow_by(heap,
                        needed_bytes - smaller(needed_bytes, policy_of(heap)->free_tail(heap)));
}

void heap_give_back_tail(struct heap *heap)
{
    const struct heap_page_source *pages = &heap->configuration.pages;
    if (pages->shrink == NULL || heap->is_corrupt)
        return;
    size_t tail_bytes = policy_of(heap)->free_tail(heap);
    if (tail_bytes < 2 * heap->tail_keep_bytes)
        return;
    size_t bytes = round_down(tail_bytes - heap->tail_keep_bytes, HEAP_PAGE_SIZE_BYTES);
    if (!policy_of(heap)->cut(heap, bytes))
        return;
    if (!heap->has_grown_again)
        heap->tail_keep_bytes = larger(heap->tail_keep_bytes / 2, KEEP_BYTES);
    heap->has_grown_again = false;
    heap->largest_bytes = heap->size_bytes;
    heap->size_bytes -= bytes;
    if (heap->written_end > end_of(heap))
        heap->written_end = end_of(heap);
    pages->shrink(pages->context, bytes);
}

/* --- Served here for every policy
 * ----------------------------------------------------------------- */

/* So many bytes at the start of a block that was just allocated may not be zero. */
static size_t dirty_bytes(const struct heap *heap, const void *block, size_t size_bytes)
{
    uintptr_t start = (uintptr_t)block;
    return smaller(size_bytes, heap->clean_start - smaller(start, heap->clean_start));
}

static void zero(const struct heap *heap, uint8_t *block, size_t size_bytes)
{
    memset(block, 0, dirty_bytes(heap, block, size_bytes));
    if (heap->configuration.debug)
        heap_debug_fill_edges(block, size_bytes, 0);
}

void *heap_allocate_zeroed(struct heap *heap, size_t count, size_t element_bytes,
                           const void *caller)
{
    if (element_bytes != 0 && count > SIZE_MAX / element_bytes) {
        heap_outer_counters(heap)->failure_count++;
        return NULL;
    }
    heap->clean_start = UINTPTR_MAX;
    void *block = heap_allocate(heap, count * element_bytes, caller);
    if (block != NULL)
        zero(heap, block, count * element_bytes);
    return block;
}

static void trim(struct heap *heap)
{
    if (heap->configuration.debug && !heap_debug_flush(heap, NULL))
        return;
    if (policy_of(heap)->trim != NULL)
        policy_of(heap)->trim(heap);
    heap->tail_keep_bytes = KEEP_BYTES;
    heap_give_back_tail(heap);
    heap_discard_free_pages(heap);
}

void heap_trim(struct heap *heap)
{
    if (heap->is_corrupt)
        return;
    trim(heap);
    heap_fault_report(heap, NULL);
}

/* --- Looking at it ---------------------------------------------------------------------------- */

void heap_statistics(const struct heap *heap, struct heap_statistics *ret_statistics)
{
    struct heap_survey survey;
    const struct guarded_state *guarded = &heap->guarded;
    size_t size_bytes = heap->size_bytes + guarded->usable_bytes;
    policy_of(heap)->survey(heap, &survey);
    if (heap->configuration.debug)
        heap_debug_adjust_survey(heap, &survey);
    const struct heap_counters *counters =
        heap->configuration.debug ? &heap->debug.counters : &heap->counters;
    size_t used_bytes = heap_counters_used_bytes(counters);
    size_t live_block_count = survey.live_block_count + guarded->live_count;
    *ret_statistics = (struct heap_statistics){
        .size_bytes = size_bytes,
        .limit_bytes = heap->configuration.limit_bytes,
        .used_bytes = used_bytes,
        .free_bytes = survey.free_bytes,
        .overhead_bytes = size_bytes - used_bytes - survey.free_bytes,
        .peak_used_bytes = counters->peak_used_bytes,
        .largest_free_bytes = survey.largest_free_bytes,
        .waiting_bytes = heap->debug.waiting_bytes,
        .waiting_block_count = heap->debug.waiting_count,
        .live_block_count = live_block_count,
        .free_block_count = survey.free_block_count,
        .allocation_count = counters->free_count + live_block_count,
        .free_count = counters->free_count,
        .failure_count = counters->failure_count,
        .guarded_block_count = guarded->live_count,
        .guarded_bytes = guarded->usable_bytes,
        .sampled_count = guarded->sampled_count,
        .unguarded_count = guarded->unguarded_count,
    };
}

void heap_walk_below(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    policy_of(heap)->walk(heap, visit, context);
}

void heap_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    if (heap->configuration.debug)
        heap_debug_walk(heap, visit, context);
    else
        heap_walk_below(heap, visit, context);
    guarded_walk(heap, visit, context);
}

const char *heap_policy_name(const struct heap *heap)
{
    return policy_of(heap)->name;
}

const struct heap_policy *heap_policy_by_name(const char *name)
{
    static const struct heap_policy *const policies[] = {&heap_policy_bump, &heap_policy_first_fit,
                                                         &heap_policy_best_fit, &heap_policy_fast};
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (text_equal(policies[i]->name, name))
            return policies[i];
    }
    return NULL;
}

bool heap_frees_newest_only(const struct heap *heap)
{
    return policy_of(heap)->frees_newest_only;
}

const char *heap_check(const struct heap *heap)
{
    if (heap->is_corrupt)
        return "the heap is corrupt, as an earlier fault has said";
    const char *problem = policy_of(heap)->check(heap);
    if (problem == NULL && heap->configuration.debug)
        problem = heap_debug_check(heap);
    return problem == NULL ? guarded_check(heap) : problem;
}
