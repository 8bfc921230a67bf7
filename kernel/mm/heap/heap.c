#include "kernel/mm/heap/include/handoff/heap.h"

#include "kernel/mm/heap/heap_discard.h"
#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/layer.h"

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

/* --- Initialisation --------------------------------------------------------------------------- */

static enum heap_status validate_storage(const struct heap_configuration *configuration)
{
    if ((uintptr_t)configuration->storage % HEAP_STORAGE_ALIGNMENT_BYTES != 0)
        return HEAP_UNALIGNED;
    if (configuration->storage == NULL ||
        configuration->storage_bytes < configuration->policy->storage_bytes)
        return HEAP_TOO_SMALL;
    return HEAP_OK;
}

static enum heap_status validate_range(const struct heap_configuration *configuration)
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
    return HEAP_OK;
}

/* Return the configured layer at this place; NULL for none. */
static struct heap_layer *layer_of(const struct heap_configuration *configuration,
                                   enum heap_layer_place place)
{
    struct heap_layer *layer =
        place == HEAP_LAYER_DEBUG ? configuration->debug : configuration->guarded;
    if (layer != NULL && layer->functions->frees_in_any_order &&
        configuration->policy->frees_newest_only)
        return NULL;
    return layer;
}

static enum heap_status validate(const struct heap_configuration *configuration)
{
    enum heap_status status = validate_storage(configuration);
    if (status == HEAP_OK)
        status = validate_range(configuration);
    for (enum heap_layer_place place = 0; place < HEAP_LAYER_COUNT && status == HEAP_OK; place++) {
        const struct heap_layer *layer = layer_of(configuration, place);
        if (layer != NULL && layer->functions->validate != NULL)
            status = layer->functions->validate(layer);
    }
    return status;
}

/* Stack the layers over the policy. */
static void install_layers(struct heap *heap, const struct heap_configuration *configuration)
{
    heap->operations = *heap->functions->operations;
    for (enum heap_layer_place place = 0; place < HEAP_LAYER_COUNT; place++) {
        struct heap_layer *layer = layer_of(configuration, place);
        heap->layers[place] = layer;
        if (layer == NULL)
            continue;
        layer->below = heap->operations;
        layer->functions->initialise(heap);
        heap->operations = *layer->functions->operations;
    }
}

/* Initialise the heap's own members. The policy's state, the layers and the zero boundary come
 * later. */
static void write_state(struct heap *heap, const struct heap_configuration *configuration,
                        size_t size_bytes)
{
    *heap = (struct heap){.functions = configuration->policy->functions,
                          .outer_counters = &heap->counters,
                          .fault = configuration->fault,
                          .fault_context = configuration->fault_context,
                          .base = configuration->base,
                          .size_bytes = size_bytes,
                          .limit_bytes = configuration->limit_bytes,
                          .pages = configuration->pages,
                          .tail_keep_bytes = HEAP_END_KEEP_BYTES,
                          .discard_wait_bytes = HEAP_DISCARD_WAIT_BYTES,
                          .written_end = (uintptr_t)configuration->base + HEAP_MARGIN_BYTES,
                          .secret = configuration->secret,
                          .policy = configuration->policy};
}

enum heap_status heap_initialise(const struct heap_configuration *configuration,
                                 struct heap **ret_heap)
{
    enum heap_status status = validate(configuration);
    if (status != HEAP_OK)
        return status;

    struct heap *heap = configuration->storage;
    size_t size_bytes = configuration->initial_bytes;
    bool starts_empty = size_bytes == 0;
    if (starts_empty && !heap_end_start(configuration, &size_bytes))
        return HEAP_NO_MEMORY;
    write_state(heap, configuration, size_bytes);
    heap->functions->initialise(heap);
    heap_zero_extend(heap, (uintptr_t)heap->base,
                     starts_empty ? heap_end_fresh_bytes(&heap->pages) : 0);
    install_layers(heap, configuration);
    *ret_heap = heap;
    return HEAP_OK;
}

/* --- Trimming --------------------------------------------------------------------------------- */

static bool flush_layers(struct heap *heap)
{
    for (enum heap_layer_place place = HEAP_LAYER_COUNT; place-- > 0;) {
        const struct heap_layer *layer = heap->layers[place];
        if (layer != NULL && layer->functions->flush != NULL && !layer->functions->flush(heap))
            return false;
    }
    return true;
}

void heap_trim(struct heap *heap)
{
    if (heap->is_corrupt)
        return;
    if (flush_layers(heap)) {
        if (heap->functions->trim != NULL)
            heap->functions->trim(heap);
        heap->tail_keep_bytes = HEAP_END_KEEP_BYTES;
        heap_end_give_back(heap);
        heap_discard_free_pages(heap);
    }
    heap_fault_report(heap, NULL);
}

/* --- Views ------------------------------------------------------------------------------------ */

void heap_statistics(const struct heap *heap, struct heap_statistics *ret_statistics)
{
    struct heap_survey survey;
    const struct heap_counters *counters = heap->outer_counters;
    heap->functions->survey(heap, &survey);
    struct heap_statistics statistics = {.size_bytes = heap->size_bytes,
                                         .limit_bytes = heap->limit_bytes,
                                         .used_bytes = heap_counters_used_bytes(counters),
                                         .free_bytes = survey.free_bytes,
                                         .absent_bytes = survey.absent_bytes,
                                         .peak_used_bytes = counters->peak_used_bytes,
                                         .largest_free_bytes = survey.largest_free_bytes,
                                         .live_block_count = survey.live_block_count,
                                         .free_block_count = survey.free_block_count,
                                         .free_count = counters->free_count,
                                         .failure_count = counters->failure_count};
    for (enum heap_layer_place place = 0; place < HEAP_LAYER_COUNT; place++) {
        if (heap->layers[place] != NULL)
            heap->layers[place]->functions->adjust_statistics(heap, &statistics);
    }
    statistics.overhead_bytes =
        statistics.size_bytes - statistics.used_bytes - statistics.free_bytes;
    statistics.allocation_count = statistics.free_count + statistics.live_block_count;
    *ret_statistics = statistics;
}

void heap_walk_below(const struct heap *heap, enum heap_layer_place place,
                     heap_piece_visitor *visit, void *context)
{
    while (place-- > 0) {
        if (heap->layers[place] != NULL) {
            heap->layers[place]->functions->walk(heap, visit, context);
            return;
        }
    }
    heap->functions->walk(heap, visit, context);
}

void heap_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    heap_walk_below(heap, HEAP_LAYER_COUNT, visit, context);
}

const char *heap_policy_name(const struct heap *heap)
{
    return heap->policy->name;
}

bool heap_frees_newest_only(const struct heap *heap)
{
    return heap->policy->frees_newest_only;
}

void *heap_base(const struct heap *heap)
{
    return heap->base;
}

size_t heap_size_bytes(const struct heap *heap)
{
    return heap->size_bytes;
}

const char *heap_check(const struct heap *heap)
{
    if (heap->is_corrupt)
        return "the heap is corrupt: an earlier fault has reported it";
    const char *problem = heap->functions->check(heap);
    for (enum heap_layer_place place = 0; place < HEAP_LAYER_COUNT && problem == NULL; place++) {
        if (heap->layers[place] != NULL)
            problem = heap->layers[place]->functions->check(heap);
    }
    return problem;
}
