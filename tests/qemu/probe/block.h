/*
 * block.h - the blocks of physical memory that the loader placed, as the handoff names them, and
 * the regions of the handoff.
 *
 * Everything here may be called once structure.c has proven that the structure can be read.
 */
#ifndef PROBE_BLOCK_H
#define PROBE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

#define PAGE HANDOFF_PAGE_SIZE_BYTES

struct block {
    const char *name;
    uint64_t start; /* physical */
    uint64_t end;   /* start == end: there is none */
    uint32_t type;  /* of its regions */
};

/* The kernel image, the stack, the page tables, the handoff data, the temporary heap, the loader's
 * image, the framebuffer and the page for starting processors. */
#define BLOCK_COUNT 8
void block_list(const struct handoff *handoff, struct block blocks[BLOCK_COUNT]);

static inline bool block_contains(const struct block *block, uint64_t address)
{
    return address >= block->start && address < block->end;
}

static inline bool block_overlap(const struct block *a, const struct block *b)
{
    return a->start < b->end && b->start < a->end;
}

/* Region number `index`, by the stride that the structure gives. */
const struct handoff_region *block_region(const struct handoff *handoff, uint32_t index);
/* The region that holds an address; NULL if none does. */
const struct handoff_region *block_region_of(const struct handoff *handoff, uint64_t address);
/* How many bytes of [start, end) lie in regions of one type. */
uint64_t block_bytes_of_type(const struct handoff *handoff, uint64_t start, uint64_t end,
                             uint32_t type);
/* How many bytes of [start, end) lie in regions that have all of the facts. */
uint64_t block_bytes_with_facts(const struct handoff *handoff, uint64_t start, uint64_t end,
                                uint32_t facts);

/* The framebuffer, of which there is one at most; all zero if there is none. */
struct handoff_framebuffer block_framebuffer(const struct handoff *handoff);

/* True if the regions say that all of [start, + size_bytes) can be read in the direct map. */
bool block_is_readable(const struct handoff *handoff, uint64_t start, uint64_t size_bytes);
/* A physical address in the direct map. */
void *block_pointer(const struct handoff *handoff, uint64_t physical);

#endif
