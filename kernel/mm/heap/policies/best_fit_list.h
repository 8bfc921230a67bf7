/*
 * best_fit_list.h - the free segments of a best-fit heap, on a list in any order.
 *
 * Both functions return false if a neighbour on the list is corrupt; the fault is recorded.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_LIST_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_LIST_H

#include "kernel/mm/heap/policies/best_fit_fault.h"

static inline bool best_fit_list_insert(struct heap *heap, struct best_fit_segment *segment)
{
    struct best_fit_segment *head = best_fit_of(heap)->free_list;
    if (!best_fit_validate_header(heap, head))
        return false;
    *best_fit_links_of(segment) = (struct best_fit_links){.next = head, .previous = NULL};
    if (head != NULL) {
        best_fit_links_of(head)->previous = segment;
        best_fit_seal(heap, head);
    }
    best_fit_of(heap)->free_list = segment;
    return true;
}

static inline bool best_fit_list_remove(struct heap *heap, const struct best_fit_segment *segment)
{
    struct best_fit_segment *next = best_fit_links_of(segment)->next;
    struct best_fit_segment *previous = best_fit_links_of(segment)->previous;
    if (!best_fit_validate_header(heap, next) || !best_fit_validate_header(heap, previous))
        return false;
    if (next != NULL) {
        best_fit_links_of(next)->previous = previous;
        best_fit_seal(heap, next);
    }
    if (previous != NULL) {
        best_fit_links_of(previous)->next = next;
        best_fit_seal(heap, previous);
    } else {
        best_fit_of(heap)->free_list = next;
    }
    return true;
}

#endif
