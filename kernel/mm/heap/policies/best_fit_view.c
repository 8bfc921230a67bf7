#include "kernel/mm/heap/policies/best_fit_view.h"

#include "kernel/mm/heap/policies/best_fit_segment.h"

void best_fit_view_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct heap_survey survey = {0};
    for (const struct best_fit_segment *segment = best_fit_of(heap)->first;
         best_fit_is_sound(heap, segment) && segment->state != BEST_FIT_END;
         segment = best_fit_next_of(segment)) {
        if (segment->state == BEST_FIT_USED) {
            survey.live_block_count++;
            continue;
        }
        survey.free_block_count++;
        survey.free_bytes += best_fit_payload_bytes(segment);
        if (best_fit_payload_bytes(segment) > survey.largest_free_bytes)
            survey.largest_free_bytes = best_fit_payload_bytes(segment);
    }
    *ret_survey = survey;
}

void best_fit_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    for (const struct best_fit_segment *segment = best_fit_of(heap)->first;
         best_fit_is_sound(heap, segment) && segment->state != BEST_FIT_END;
         segment = best_fit_next_of(segment)) {
        bool is_used = segment->state == BEST_FIT_USED;
        const struct heap_piece piece = {.kind = is_used ? HEAP_PIECE_LIVE : HEAP_PIECE_FREE,
                                         .start = best_fit_payload_of(segment),
                                         .extent_bytes = best_fit_payload_bytes(segment),
                                         .size_bytes = is_used ? best_fit_asked_bytes(segment) : 0,
                                         .allocated_by = is_used ? segment->allocated_by : NULL};
        visit(context, &piece);
    }
}

static const char *check_segment(const struct heap *heap, const struct best_fit_segment *segment)
{
    const struct best_fit_segment *previous = best_fit_previous_of(segment);
    if (previous != NULL && best_fit_next_of(previous) != segment)
        return "a segment's distance to the one before is wrong";
    if (best_fit_length_bytes(segment) < BEST_FIT_MINIMUM_SEGMENT_BYTES)
        return "a segment is too short";
    if (best_fit_length_bytes(segment) > (uintptr_t)best_fit_of(heap)->end - (uintptr_t)segment)
        return "a segment reaches beyond the end";
    if (segment->state == BEST_FIT_FREE) {
        if (previous != NULL && previous->state == BEST_FIT_FREE)
            return "two free segments touch";
        return NULL;
    }
    if (segment->state != BEST_FIT_USED)
        return "a segment is neither free nor used";
    if (segment->slack_bytes > best_fit_payload_bytes(segment))
        return "a canary is longer than its segment";
    return best_fit_canary_is_intact(heap, segment) ? NULL
                                                    : "the bytes behind a block were overwritten";
}

/* Check that the list has exactly `free_count` free segments, linked in both directions. */
static const char *check_free_list(const struct heap *heap, size_t free_count)
{
    const struct best_fit_segment *previous = NULL;
    for (const struct best_fit_segment *segment = best_fit_of(heap)->free_list; segment != NULL;
         segment = best_fit_links_of(segment)->next) {
        if (free_count == 0)
            return "the free list has more entries than there are free segments";
        if (!best_fit_is_sound(heap, segment) || segment->state != BEST_FIT_FREE)
            return "the free list holds a segment that is not free";
        if (best_fit_links_of(segment)->previous != previous)
            return "the free list's links do not match";
        previous = segment;
        free_count--;
    }
    return free_count == 0 ? NULL : "a free segment is not on the free list";
}

const char *best_fit_view_check(const struct heap *heap)
{
    size_t used_bytes = 0;
    size_t free_count = 0;
    const struct best_fit_segment *segment = best_fit_of(heap)->first;
    for (; segment != best_fit_of(heap)->end; segment = best_fit_next_of(segment)) {
        if (!best_fit_is_sound(heap, segment))
            return "a header was overwritten";
        const char *problem = check_segment(heap, segment);
        if (problem != NULL)
            return problem;
        if (segment->state == BEST_FIT_FREE)
            free_count++;
        else
            used_bytes += best_fit_asked_bytes(segment);
    }
    if (!best_fit_is_sound(heap, segment) || segment->state != BEST_FIT_END)
        return "the end marker was overwritten";
    if ((uintptr_t)segment + BEST_FIT_HEADER_BYTES != (uintptr_t)heap->base + heap->size_bytes)
        return "the end marker is not at the end";
    if (used_bytes != heap_policy_used_bytes(heap))
        return "the counters do not match the blocks";
    return check_free_list(heap, free_count);
}
