/*
 * lesson_02.h - what docs/learn/exercises/lesson_02.c defines.
 */
#ifndef LESSONS_LESSON_02_H
#define LESSONS_LESSON_02_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "shared/handoff.h"
#include "shared/handoff_checksum.h"

/* What a kernel says of a handoff: the first of these answers that applies. */
enum handoff_answer {
    BAD_POINTER,      /* it is NULL, or no multiple of HANDOFF_PAGE_SIZE_BYTES */
    BAD_MAGIC,        /* magic is not HANDOFF_MAGIC */
    BAD_VERSION,      /* version_major is not HANDOFF_VERSION_MAJOR; any minor version is good */
    BAD_SIZE,         /* size_bytes is below HANDOFF_SIZE_V2_BYTES, or larger than one page */
    BAD_CHECKSUM,     /* checksum is not that of the first size_bytes bytes */
    NO_HEAP,          /* temp_heap_size is 0 */
    HEAP_UNALIGNED,   /* temp_heap_base or temp_heap_size is no multiple of the page size */
    HEAP_WRAPS,       /* base + size is larger than UINT64_MAX */
    HEAP_OUTSIDE_RAM, /* not all of its bytes lie in the RAM that the kernel knows */
    ACCEPTED,         /* the kernel may use the heap */
    HANDOFF_ANSWER_COUNT
};

struct lesson_02 {
    enum handoff_answer (*check)(const struct handoff *handoff, uint64_t ram_start,
                                 uint64_t ram_end);
};

/* The reader's. */
extern const struct lesson_02 lesson_02;

bool lesson_02_run(struct judge *judge);

#endif
