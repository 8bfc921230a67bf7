/*
 * handoff_samples.h - the handoffs of lesson 2: good ones, and damaged ones with the right answer.
 */
#ifndef LESSONS_HANDOFF_SAMPLES_H
#define LESSONS_HANDOFF_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/lesson_02.h"

/* One page of memory, as the loader hands it over. */
struct handoff_page {
    struct handoff handoff;
    uint8_t rest[HANDOFF_PAGE_SIZE_BYTES - sizeof(struct handoff)];
};

/* The place of the page that the reader's code gets. */
enum handoff_place { PLACE_GOOD, PLACE_NULL, PLACE_UNALIGNED };

struct handoff_sample {
    const char *title;
    enum handoff_answer expected;
    enum handoff_place place;
    uint64_t ram_start;
    uint64_t ram_end;
};

/* Write sample `index`, and its page. Return false if the number is too large. */
bool handoff_sample_make(unsigned index, struct handoff_sample *ret_sample,
                         struct handoff_page *ret_page);

#endif
